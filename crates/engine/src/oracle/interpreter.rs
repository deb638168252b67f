//! Runs an ONNX graph as its file says it, node by node, on plain candle.
//!
//! It is an oracle: what `export` wrote is read back and run here, so that attributes, wiring and weights are checked and
//! not what we meant by them. It is not an ONNX runtime: it knows the operators that Headstart writes, each in the form
//! in which it is written, and hurries nowhere but in convolutions and products.
//!
//! **Invariant:** nothing in a graph makes it panic; what does not fit is an error that names the node.

mod operators;

use crate::{
    EngineError, Executor,
    executor::{Normalisation, check_length, pictures_of, pixels_of},
};
use candle_core::{Device, Tensor};
use input::{Batch, Recipe};
use onnx::{Model, Output, Step, Value};

/// Pictures that go through together: more than one, as the batch axis must work, and no more, as memory is finite.
const TOGETHER: usize = 2;

/// A graph that is ready to run.
pub struct Interpreter {
    name: String,
    input: [usize; 3],
    tensors: Vec<Tensor>,
    steps: Vec<Step>,
    outputs: Vec<Output>,
    /// For every step, the steps whose values nobody reads after it has run.
    frees: Vec<Vec<usize>>,
    normalisation: Normalisation,
    widths: Vec<usize>,
}

impl Interpreter {
    /// Makes a model ready for inputs of this recipe.
    ///
    /// # Errors
    /// Where the recipe gives pictures of another size than the model's input.
    pub fn new(model: Model, recipe: &Recipe) -> Result<Interpreter, EngineError> {
        let (how, (height, width)) = pictures_of(recipe)?;
        let Model { graph, input, .. } = model;
        let got = [3, height, width];
        if input != got {
            return Err(EngineError::PictureSize { expected: input, got });
        }
        let fail = |source| step_error(&graph.name, "initializers", source);
        let tensors = graph.tensors.into_iter();
        let tensors = tensors.map(|tensor| Tensor::from_vec(tensor.data, tensor.shape, &Device::Cpu));
        let tensors = tensors.collect::<candle_core::Result<_>>().map_err(fail)?;
        let frees = frees(&graph.steps, &graph.outputs);
        let (name, steps, outputs) = (graph.name, graph.steps, graph.outputs);
        let (normalisation, widths) =
            (Normalisation::of(how), outputs.iter().map(|output| output.width).collect());
        Ok(Interpreter { name, input, tensors, steps, outputs, frees, normalisation, widths })
    }

    /// input: (n, channels, h, w) f32, normalised; all in one batch. For tests.
    ///
    /// # Errors
    /// As [`Executor::run`].
    pub fn run_tensor(&self, input: &[f32], n: usize) -> Result<Vec<Vec<f32>>, EngineError> {
        check_length(n, self.input, input.len())?;
        let [c, h, w] = self.input;
        let input = Tensor::from_slice(input, (n, c, h, w), &Device::Cpu)
            .map_err(|source| step_error(&self.name, "input", source))?;
        let mut values: Vec<Option<Tensor>> = vec![None; self.steps.len()];
        let mut outputs = vec![Vec::new(); self.outputs.len()];
        for (at, step) in self.steps.iter().enumerate() {
            let fail = |source| step_error(&self.name, &step.name, source);
            let read = |value: &Value| match *value {
                Value::Input => Some(input.clone()),
                Value::Tensor(tensor) => Some(self.tensors[tensor].clone()),
                Value::Step(step) => values[step].clone(),
            };
            let inputs: Vec<Tensor> = step.inputs.iter().filter_map(read).collect();
            let value = operators::apply(&step.operator, &inputs).map_err(fail)?;
            for (output, given) in self.outputs.iter().zip(&mut outputs) {
                if output.value == Value::Step(at) {
                    *given = rows(&value, n, output.width).map_err(fail)?;
                }
            }
            values[at] = Some(value);
            for freed in &self.frees[at] {
                values[*freed] = None;
            }
        }
        Ok(outputs)
    }
}

impl Executor for Interpreter {
    fn revision(&self) -> &str {
        "interpreter"
    }

    fn widths(&self) -> &[usize] {
        &self.widths
    }

    fn run(&mut self, batch: Batch<'_>) -> Result<Vec<Vec<f32>>, EngineError> {
        let pixels = pixels_of(batch, (self.input[1], self.input[2]))?;
        let picture: usize = self.input.iter().product();
        let mut outputs = vec![Vec::new(); self.outputs.len()];
        for pixels in pixels.chunks(TOGETHER * picture) {
            let pictures = pixels.chunks(picture);
            let input: Vec<f32> = pictures.flat_map(|pixels| self.normalisation.planes(pixels)).collect();
            let values = self.run_tensor(&input, pixels.len() / picture)?;
            outputs.iter_mut().zip(values).for_each(|(output, values)| output.extend(values));
        }
        Ok(outputs)
    }
}

/// The numbers of a value that must be (n, width).
fn rows(value: &Tensor, n: usize, width: usize) -> candle_core::Result<Vec<f32>> {
    if value.dims() != [n, width] {
        candle_core::bail!("expected ({n}, {width}), got {:?}", value.shape());
    }
    value.flatten_all()?.to_vec1()
}

/// For every step, whose values are not needed once it has run.
fn frees(steps: &[Step], outputs: &[Output]) -> Vec<Vec<usize>> {
    let mut last: Vec<usize> = (0..steps.len()).collect();
    for (at, step) in steps.iter().enumerate() {
        for input in &step.inputs {
            if let Value::Step(read) = input {
                last[*read] = at;
            }
        }
    }
    let mut frees = vec![Vec::new(); steps.len()];
    for (step, last) in last.into_iter().enumerate() {
        if outputs.iter().all(|output| output.value != Value::Step(step)) {
            frees[last].push(step);
        }
    }
    frees
}

fn step_error(network: &str, node: &str, source: candle_core::Error) -> EngineError {
    EngineError::Step { network: network.to_owned(), node: node.to_owned(), source: Box::new(source) }
}
