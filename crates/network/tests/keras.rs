//! Keras' own networks against Keras: how many weights are trained.

use headstart_network::zoo;

#[test]
fn weights_are_as_many_as_keras() {
    // (name, the sum of sizes over `trainable_weights` with `weights=None`, Keras 3.15.1, what only we have): ones that make
    // zeros around a map, factors and shifts of normalisation, and factors of batch norms that have none.
    for (name, trained, ours) in [
        ("keras_resnet50", 25_583_592, 0),
        ("keras_resnet50v2", 25_568_360, 64),
        ("keras_densenet121", 7_978_856, 0),
        ("keras_mobilenet", 4_231_976, 0),
        ("keras_mobilenet_v2", 3_504_872, 0),
        ("keras_efficientnet_b0", 5_288_548, 12),
        ("keras_xception", 22_855_952, 0),
        ("keras_inception_v3", 23_817_352, 17_216),
    ] {
        let entry = zoo::find(name).unwrap();
        let network = entry.network();
        assert_eq!(network.parameter_count(), trained + ours, "{name}");
        let (height, width) = entry.input_size().unwrap();
        network.shapes(height as usize, width as usize).unwrap();
    }
}
