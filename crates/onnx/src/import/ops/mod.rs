//! What nodes do that see something of the picture.

mod attention;
mod concat;
mod conv;
mod elementwise;
mod fused;
mod linear;
mod norm;
mod pool;
mod queries;
mod rearrange;
mod scores;
mod unit;

use super::{
    element::{binary, unary},
    fold,
    importer::{Importer, Stop},
    model::Node,
    value::Value,
};

type Given = Result<Vec<Value>, Stop>;

impl Importer<'_> {
    pub(super) fn live_node(&mut self, node: &Node) -> Given {
        if unary(node).is_some() {
            return self.function_of_one(node);
        }
        if let Some(given) = self.fused(node) {
            return given;
        }
        if node.domain == "com.microsoft" {
            return Err(Stop::Unknown("is an operator that is not known"));
        }
        match node.op.as_str() {
            "Identity" | "Dropout" | "Cast" | "CastLike" => self.unchanged(node),
            "Shape" => {
                let shape = self.value(node, 0)?.shape();
                let shape =
                    fold::shape_of(node, &shape).ok_or(Stop::Unknown("asks for sides that are not there"))?;
                Ok(vec![Value::Constant(shape)])
            }
            "Conv" => self.conv(node),
            "MaxPool" | "AveragePool" => self.pool(node),
            "GlobalAveragePool" | "GlobalMaxPool" => self.pool_whole(node),
            "ReduceMean" | "ReduceMax" | "ReduceL2" => self.reduce(node),
            "Gemm" => self.gemm(node),
            "MatMul" => self.product(node),
            "BatchNormalization" => self.batch_norm(node),
            "LayerNormalization" => self.layer_norm(node),
            "SimplifiedLayerNormalization" | "RMSNormalization" => self.root_mean_square(node),
            "Softmax" | "LogSoftmax" => self.softmax(node),
            "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => self.reshape(node),
            "Transpose" => self.transpose(node),
            "Slice" => self.slice(node),
            "Split" => self.split(node),
            "Gather" => self.gather(node),
            "Expand" => self.expand(node),
            "Resize" | "Upsample" => self.resize(node),
            // What is finite stays so, and nothing of a picture is anything else.
            "IsNaN" | "IsInf" => Ok(vec![Value::Never(self.value(node, 0)?.shape())]),
            "Where" => self.choose(node),
            "Concat" => self.concat(node),
            "Pad" => self.pad(node),
            "PRelu" => self.prelu(node),
            "Clip" => self.clip(node),
            "Neg" => self.negative(node),
            op if binary(op).is_some() => self.of_two(node),
            _ => Err(Stop::Unknown("is an operator that is not known")),
        }
    }
}
