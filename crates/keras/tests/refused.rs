//! What Keras' words for padding do not mean.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use keras::{Exported, Image, Link};
use network::{Builder, Conv, NodeId, Pool};
use weights::{Bound, Dense, Tensor, head_graph};

/// What becomes of a pool over a map of 31×31.
fn written(pool: impl Fn(&mut Builder, NodeId) -> NodeId) -> Result<(), String> {
    let mut net = Builder::image();
    let x = net.conv("first", net.input(), Conv::new(4, 3));
    let x = pool(&mut net, x);
    let x = net.global_average_pool("gap", x);
    let bound = Bound::from_tensors(net.finish("pools", x), "the test", |param| {
        Some(Tensor { shape: param.shape.clone(), data: vec![0.5; param.len()] })
    });
    let head = head_graph(None, &[Dense { inputs: 4, outputs: 2, weight: vec![1.0; 8], bias: vec![0.0; 2] }]);
    let exported = Exported {
        bound: &bound.unwrap().join(head.unwrap()).unwrap(),
        size: (31, 31),
        image: Image::of(false, 255.0, [0.0; 3], [1.0; 3]),
        link: Link::Softmax,
        dialect: None,
    };
    keras::write(std::io::sink(), &exported).map_err(|error| error.to_string())
}

#[test]
fn pools_are_those_of_keras_or_refused() {
    let average = |pool: Pool| written(|net, x| net.average_pool("pool", x, pool));
    let max = |pool: Pool| written(|net, x| net.max_pool("pool", x, pool));
    for (made, refused) in [
        (average(Pool::new(3, 2)), None),
        (average(Pool::new(3, 1).pad(1)), None),
        (average(Pool::new(3, 2).pad(1).count_include_pad()), None),
        // PyTorch's backend counts the edge of an uneven padding twice.
        (average(Pool::new(4, 1).pad([1, 1, 2, 2])), Some("uneven")),
        (average(Pool::new(3, 2).pad([2, 2, 0, 0])), Some("neither")),
        (average(Pool::new(4, 3).pad(1).ceil().count_include_pad()), Some("sticks out")),
        (max(Pool::new(4, 1).pad([1, 1, 2, 2])), None),
        // Zeros of Keras' would win over what is below zero.
        (max(Pool::new(3, 2).pad([2, 2, 0, 0])), Some("may be negative")),
        (
            written(|net, x| {
                let x = net.relu("relu", x);
                net.max_pool("pool", x, Pool::new(3, 2).pad([2, 2, 0, 0]))
            }),
            None,
        ),
    ] {
        match (made, refused) {
            (Ok(()), None) => {}
            (Err(error), Some(part)) => assert!(error.contains("`pool`") && error.contains(part), "{error}"),
            (made, refused) => panic!("{made:?} instead of {refused:?}"),
        }
    }
}
