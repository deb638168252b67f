//! Every network against torchvision's own: parameter counts and names; sizes and taps.

#![expect(clippy::unwrap_used, reason = "tests")]

use headstart_network::{Network, NetworkError, zoo};

fn build(name: &str) -> Network {
    (zoo::find(name).unwrap().build)()
}

#[test]
fn parameters_are_torchvisions() {
    // (name, sum of p.numel() over parameters(), FNV-1a of the sorted lines "name shape" of the state dict without
    // batch counters), torchvision 0.29.2.
    for (name, count, names) in [
        ("resnet18", 11_689_512, 0x7D6D_E2EA_9DF6_F7C8_u64),
        ("resnet34", 21_797_672, 0xA36E_859B_C61F_2502),
        ("resnet50", 25_557_032, 0x8DD6_3C80_EECF_8DEB),
        ("resnet101", 44_549_160, 0xE048_DA6B_4338_1390),
        ("resnet152", 60_192_808, 0xC479_7C1F_6732_5DDA),
        ("vgg11", 132_863_336, 0x0B2E_9BA4_F428_5A9D),
        ("vgg11_bn", 132_868_840, 0xE30E_5CF1_DE5B_4F1D),
        ("vgg13", 133_047_848, 0x57FC_EA8D_049D_6CFE),
        ("vgg13_bn", 133_053_736, 0x40DB_5DC9_841D_8F1C),
        ("vgg16", 138_357_544, 0xB0E4_B631_F52D_E798),
        ("vgg16_bn", 138_365_992, 0xCAEE_D083_DC8F_9C93),
        ("vgg19", 143_667_240, 0x593D_504C_7993_A3C0),
        ("vgg19_bn", 143_678_248, 0xE4A3_CBE1_239B_170E),
        ("mobilenet_v2", 3_504_872, 0x1F0E_1B04_4FEA_5D99),
        ("squeezenet1_0", 1_248_424, 0xB512_4644_98C9_E8DD),
        ("squeezenet1_1", 1_235_496, 0x5F72_9C6E_0784_224C),
    ] {
        let network = build(name);
        assert_eq!(network.parameter_count(), count, "{name}");
        let mut lines: Vec<String> =
            network.params().iter().map(|param| format!("{} {:?}", param.name, param.shape)).collect();
        lines.sort();
        let digest = lines.join("\n").bytes().fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3)
        });
        assert_eq!(digest, names, "{name}: {lines:?}");
    }
}

#[test]
fn every_entry_works_at_its_size_and_default_tap() {
    for entry in zoo::all() {
        let network = (entry.build)();
        assert_eq!(network.name(), entry.name);
        let (height, width) = entry.input_size().unwrap();
        network.shapes(height as usize, width as usize).unwrap();
        for tap in [entry.default_tap, "pooled", "gap"] {
            let cut = network.for_taps(&[tap]).unwrap();
            let widths = cut.widths(height as usize, width as usize).unwrap();
            assert!(matches!(*widths, [d] if d >= 224), "{}: {widths:?}", entry.name);
            assert!(
                cut.params().len() < network.params().len() || entry.name == "headstart_tiny",
                "{}",
                entry.name
            );
        }
    }
}

#[test]
fn taps_cut_a_network_to_what_they_need() {
    let full = build("vgg16");
    // The convolutions of configuration D alone: 14,714,688 (Keras' VGG16 without its top).
    for (tap, count, width) in [
        ("gap", 14_714_688, 512),
        ("fc7", 134_260_544, 4096),
        ("features.4", 38_720, 64),
        ("logits", 138_357_544, 1000),
    ] {
        let cut = full.for_taps(&[tap]).unwrap();
        assert_eq!((cut.parameter_count(), cut.widths(224, 224).unwrap()), (count, vec![width]), "{tap}");
    }
    let both = build("resnet18").for_taps(&["pooled", "layer3", "layer1.0", "pooled"]).unwrap();
    assert_eq!(both.widths(224, 224).unwrap(), [512, 256, 64, 512]);
    assert!(both.param_named("fc.weight").is_none());
}

#[test]
fn one_tap_is_one_network_whatever_it_is_called_and_asked_with() {
    let full = build("resnet18");
    let print = |taps: &[&str]| full.for_taps(taps).unwrap().fingerprint();
    assert_eq!(print(&["pooled"]), print(&["gap"]));
    assert_eq!(print(&["pooled"]), print(&["avgpool"]));
    // A tap that is a map gets the average pool that is there already.
    assert_eq!(print(&["pooled"]), print(&["layer4"]));
    assert_eq!(print(&["layer4"]), print(&["layer4.1"]));
    assert_ne!(print(&["layer3"]), print(&["layer4"]));
    // Cutting twice is cutting once.
    let wide = full.for_taps(&["layer3", "pooled"]).unwrap();
    assert_eq!(wide.for_taps(&["layer3"]).unwrap().fingerprint(), print(&["layer3"]));
}

#[test]
fn modules_are_found_by_torchvisions_paths() {
    for (name, taps) in [
        (
            "resnet50",
            "conv1 bn1 relu maxpool layer1 layer2.0.downsample layer2.0.downsample.0 layer3.5.bn2 avgpool fc",
        ),
        (
            "vgg16_bn",
            "features features.43 features.12 avgpool classifier classifier.0 classifier.5 classifier.6",
        ),
        (
            "mobilenet_v2",
            "features features.0 features.0.2 features.1 features.7 features.7.conv features.7.conv.1.0",
        ),
        (
            "squeezenet1_1",
            "features features.3 features.3.squeeze features.12.expand3x3 classifier classifier.1",
        ),
    ] {
        for tap in taps.split(' ') {
            build(name).resolve(tap).unwrap();
        }
    }
}

#[test]
fn unknown_names_come_with_suggestions() {
    let network = build("resnet18");
    let error = network.resolve("layr3").unwrap_err().to_string();
    assert!(error.starts_with("resnet18 has no tap `layr3`; did you mean `layer3`?"), "{error}");
    assert!(error.contains("its taps are layer1, layer2, layer3, layer4, pooled, gap, logits"), "{error}");
    let error = network.for_taps(&["qqq"]).unwrap_err().to_string();
    assert!(!error.contains("did you mean"), "{error}");
    assert!(matches!(network.for_taps(&[]), Err(NetworkError::NoTap { .. })));

    let error = zoo::find("resnet-18").unwrap_err().to_string();
    assert!(
        error.starts_with("unknown backbone `resnet-18`; did you mean `resnet18`?; known are"),
        "{error}"
    );
    assert_eq!(zoo::find("vgg16.tv_in1k").unwrap().name, "vgg16");
}

#[test]
fn sizes_are_checked_before_anything_runs() {
    for (name, least) in
        [("vgg16", 32), ("squeezenet1_1", 25), ("squeezenet1_0", 29), ("resnet18", 1), ("mobilenet_v2", 1)]
    {
        let network = build(name);
        network.shapes(least, least).unwrap();
        if least > 1 {
            match network.shapes(least - 1, 224).unwrap_err() {
                NetworkError::InputTooSmall { minimum, .. } => assert_eq!(minimum, Some(least), "{name}"),
                other => panic!("{name}: {other}"),
            }
        }
        let error = network.shapes(0, 0).unwrap_err();
        assert!(matches!(error, NetworkError::InputTooSmall { .. }), "{error}");
        let error = network.shapes(usize::MAX / 2, usize::MAX / 2).unwrap_err();
        assert!(matches!(error, NetworkError::InputTooLarge { .. }), "{error}");
    }
}

#[test]
fn networks_survive_json_and_broken_ones_are_refused() {
    let network = build("mobilenet_v2").for_taps(&["pooled"]).unwrap();
    let json = serde_json::to_string(&network).unwrap();
    assert_eq!(serde_json::from_str::<Network>(&json).unwrap(), network);
    for (from, to, reason) in [
        ("\"inputs\":[0]", "\"inputs\":[9999]", "reads a later node"),
        ("\"inputs\":[0]", "\"inputs\":[]", "reads a wrong number of nodes"),
        ("\"weight\":0,", "\"weight\":9999,", "needs a parameter that is not there"),
        ("\"weight\":0,", "\"weight\":1,", "has a weight of a wrong rank"),
        ("\"stride\":2", "\"stride\":0", "has a size that makes no sense"),
        ("\"eps\":", "\"eps\":-", "has a size that makes no sense"),
        ("\"outputs\":[", "\"outputs\":[9999,", "point at a node that is not there"),
    ] {
        assert!(json.contains(from), "{from}");
        let error = serde_json::from_str::<Network>(&json.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(reason), "{to}: {error}");
    }
}
