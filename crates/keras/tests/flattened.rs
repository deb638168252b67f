//! Dense layers over flattened maps, whose numbers Keras has in another order.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

use engine::{Executor as _, Reference};
use input::image::{Preprocessing, Resize};
use keras::{Exported, Image, Link};
use network::{Builder, Conv, Network, zoo};
use std::fs::File;
use weights::{Bound, Dense, Tensor, head_graph};

/// The first layers of VGG16 as far as names go, on pictures of 7×7.
fn small() -> Network {
    let mut net = Builder::image();
    let x = net.conv("features.0", net.input(), Conv::new(4, 3).bias());
    let x = net.adaptive_average_pool("avgpool", x, 7);
    let x = net.flatten("flatten", x);
    let x = net.linear("classifier.0", x, 6);
    net.finish("vgg16", x)
}

fn formula(network: Network) -> Bound {
    let wave = |at: usize| ((at * 7919 + 13) % 211) as f32 / 105.0 - 1.0;
    Bound::from_tensors(network, "formula", |param| {
        Some(Tensor { shape: param.shape.clone(), data: (0..param.len()).map(wave).collect() })
    })
    .unwrap()
}

#[test]
fn numbers_lie_as_keras_flattens() {
    let how = Preprocessing { resize: Resize::Exact(7, 7), crop: None, ..Preprocessing::keras_caffe() };
    let bytes = Preprocessing { channels: input::image::Channels::Rgb, mean: [0.0; 3], ..how.clone() };
    let weight = (0..18).map(|at| at as f32 / 9.0 - 1.0).collect();
    let head = head_graph(None, &[Dense { inputs: 6, outputs: 3, weight, bias: vec![0.5; 3] }]).unwrap();
    let joined = formula(small()).join(head).unwrap();
    let dir = tempfile::tempdir().unwrap();
    // Where nobody says that it is so kept, axes are turned before the map is flattened.
    for (dialect, layer, is_turned) in [(true, "fc1", true), (false, "classifier_0", false)] {
        let path = dir.path().join("m.keras");
        let exported = Exported {
            bound: &joined,
            size: (7, 7),
            image: Image::of(true, how.divisor, how.mean, how.std),
            link: Link::Softmax,
            dialect: zoo::in_keras(zoo::find("vgg16").unwrap()).filter(|_| dialect),
        };
        keras::write(File::create(&path).unwrap(), &exported).unwrap();
        let kernel = weights::open(&path).unwrap().read(&format!("{layer}/kernel")).unwrap().unwrap();
        assert_eq!(kernel.shape, [196, 6]);
        // The second row of the file: of the next channel, or of the next column.
        let param = joined.network().param_named("classifier.0.weight").unwrap();
        let ours = |row: usize, place: usize| joined.tensor(param).data[row * 196 + place];
        let next = if is_turned { 49 } else { 1 };
        assert_eq!(kernel.data[6..12], std::array::from_fn::<f32, 6, _>(|row| ours(row, next)));

        let read = keras::read(&path).unwrap();
        assert_eq!(read.link, Link::Softmax);
        let run = |bound: Bound, how: &Preprocessing| {
            let recipe: input::Recipe = how.clone().into();
            let probes = recipe.probes();
            Reference::new(bound, &recipe).unwrap().run(probes.batch()).unwrap().pop().unwrap()
        };
        let (ours, theirs) = (run(joined.clone(), &how), run(read.bound, &bytes));
        let most = ours.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        assert!(ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() <= 1e-5 * most), "{ours:?} {theirs:?}");
    }
}
