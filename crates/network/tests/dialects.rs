//! Names that other ecosystems give to our parameters.

use headstart_network::{
    Dialect, Stored,
    families::{convnext, efficientnet, mnasnet, mobilenet_v2, mobilenet_v3, swin, vgg, vit},
    zoo,
};
use std::collections::BTreeSet;

#[test]
fn timm_names_are_timms() {
    // FNV-1a of the sorted keys of `timm.create_model(name).state_dict()`, timm 1.0.31, batch counters left out.
    for (name, naming, expected) in [
        ("vgg11", vgg::timm_name as fn(&str) -> String, 0xCA5B_0DA6_DC2D_01E4_u64),
        ("vgg16_bn", vgg::timm_name, 0x2102_C02F_8108_4D5E),
        ("mobilenetv2_100", mobilenet_v2::timm_name, 0x4941_ED80_42F0_9110),
        ("mobilenetv3_small_100", mobilenet_v3::timm_small, 0xB3B2_AE58_DD99_0D96),
        ("mobilenetv3_large_100", mobilenet_v3::timm_large, 0xC31B_BCCD_7F43_AF40),
        ("mnasnet_100", mnasnet::timm_name, 0x6552_FF10_5698_392B),
        ("efficientnet_b0", efficientnet::timm_name, 0x5D5A_FDA1_66C0_A0E1),
        ("efficientnet_b4", efficientnet::timm_name, 0x17EE_DBDC_FE93_6B7E),
        ("efficientnet_b5.sw_in12k_ft_in1k", efficientnet::timm_name, 0xB03E_5EBE_607B_8C2F),
        ("efficientnet_b6", efficientnet::timm_name, 0x138F_5063_2B7C_45B1),
        ("efficientnet_v2_s", efficientnet::timm_name_v2, 0x3FDD_5A2B_D48C_2346),
        ("efficientnet_v2_m", efficientnet::timm_name_v2, 0x9967_9B1E_5050_03C7),
        ("efficientnet_v2_l", efficientnet::timm_name_v2, 0x96FD_0A8D_87D8_0459),
        ("convnext_small", convnext::timm_name, 0x1A04_8B45_89E5_3595),
        ("convnextv2_atto", convnext::timm_name, 0xA14C_39D9_324A_B0ED),
        ("convnextv2_nano", convnext::timm_name, 0xBFE6_C9B1_A908_425D),
        ("convnextv2_tiny", convnext::timm_name, 0x33EE_D2BE_56B8_C5B5),
        ("convnextv2_large", convnext::timm_name, 0xFCB0_3F2E_6A22_0DA7),
        ("vit_b_16", vit::timm_name, 0x716C_7B24_EA82_3AEE),
        ("vit_l_16", vit::timm_name, 0x24F6_B2A2_78AC_CBDE),
        ("swin_t", swin::timm_name, 0x035A_3843_F2B4_1F75),
        ("swin_b", swin::timm_name, 0x875D_C855_62AD_5BB1),
    ] {
        let network = zoo::find(name).map(zoo::Entry::network).unwrap();
        let mut names: Vec<String> = network.params().iter().map(|param| naming(&param.name)).collect();
        names.sort();
        let digest = fnv(&names.join("\n"));
        assert_eq!(digest, expected, "{name}: {names:?}");
    }
}

#[test]
fn stored_names_are_the_peers() {
    // FNV-1a of the sorted names in what `save_pretrained` writes, below the model's own prefix, without counters and masks;
    // transformers 5.24; also in memory, before that. Of open_clip 3: `state_dict()`, below `visual.`. Of efficientnet_lite_pytorch 0.1: `state_dict()`. Of
    // gluon: what `save_parameters` writes of the model zoo's v1, then of GluonCV's v1b and v1d; MXNet 1.9.1, GluonCV 0.10.5.
    let own = |name: &str| zoo::find(name).map(zoo::Entry::network).unwrap();
    for (name, ecosystem, expected) in [
        ("vit_b_16", "transformers", 0xAA0C_5295_EB8B_FEA2_u64),
        ("vit_small_patch14_dinov2", "transformers", 0x3E58_4165_1684_6A79),
        ("vit_base_patch32_clip_quickgelu_224", "transformers", 0xE953_A38E_013A_EDBE),
        ("vit_base_patch16_siglip_224", "transformers", 0x831B_0169_1543_9285),
        ("vit_base_patch16_224", "transformers", 0x63DF_3F4F_212C_6C3E),
        ("vit_small_patch14_dinov2", "transformers", 0x7CB1_ADEC_6BB1_B2AD),
        ("vit_giant_patch14_dinov2", "transformers", 0x545B_E6D7_5E10_2F83),
        ("vit_giant_patch14_dinov2", "transformers", 0x66EC_D5C5_06B0_FB59),
        ("vit_small_patch14_reg4_dinov2", "transformers", 0x78FF_F577_420F_9693),
        ("vit_small_patch14_reg4_dinov2", "transformers", 0x02BB_C775_742A_C13F),
        ("resnet50", "transformers", 0x60A7_87C6_370C_B2D5),
        ("resnet18", "transformers", 0x07D7_DD63_0E10_BC95),
        ("regnet_y_400mf", "transformers", 0xA72E_BBD0_0D51_0DB1),
        ("regnet_x_400mf", "transformers", 0x10F8_E0B1_1994_AB99),
        ("convnext_tiny", "transformers", 0xC2A9_80D8_FFD8_5050),
        ("convnextv2_tiny", "transformers", 0x6B1A_B843_1C57_83D3),
        ("swin_t", "transformers", 0xE42B_F86B_549A_A840),
        ("vit_base_patch32_clip_quickgelu_224", "open_clip", 0x7075_E017_FEB9_B5C3),
        ("tf_efficientnet_b0", "efficientnet_pytorch", 0x7459_7627_0073_B73B),
        ("tf_efficientnet_b1", "efficientnet_pytorch", 0xFF1A_3FAA_A292_C219),
        ("tf_efficientnet_b5", "efficientnet_pytorch", 0xF747_F384_8AD7_A848),
        ("tf_efficientnet_b7.ap_in1k", "efficientnet_pytorch", 0xCA4D_6F8F_DEAD_E5CB),
        ("tf_efficientnet_lite0", "efficientnet_pytorch", 0x4E66_CFB3_DD94_5707),
        ("tf_efficientnet_lite1", "efficientnet_pytorch", 0xCF09_E3F5_86CA_ECD3),
        ("tf_efficientnet_lite3", "efficientnet_pytorch", 0xA747_641C_4F45_A22B),
        ("tf_efficientnet_lite4", "efficientnet_pytorch", 0x769E_367A_23E5_9BE2),
        ("resnet18", "gluon", 0xC690_5260_A6D3_5BF8),
        ("resnet34", "gluon", 0x3FE8_BC50_7D64_394A),
        ("resnet18", "gluon", 0xDE39_E667_DF08_8863),
        ("resnet50", "gluon", 0x5DB5_FF2E_FEE3_1BB0),
        ("resnet50d", "gluon", 0xEFC1_8648_789D_2B15),
        ("resnet101d", "gluon", 0xB724_3F9D_E984_0D6E),
    ] {
        let network = own(name);
        let digest = |dialect: &Dialect| {
            let places: Vec<Stored> =
                network.params().iter().map(|param| dialect.place(&param.name)).collect();
            let names: BTreeSet<&str> = places.iter().flat_map(Stored::names).collect();
            fnv(&names.into_iter().collect::<Vec<_>>().join("\n"))
        };
        let of_ecosystem = zoo::dialects(name).filter(|dialect| dialect.name == ecosystem);
        assert!(of_ecosystem.map(|dialect| digest(&dialect)).any(|digest| digest == expected), "{name}");
    }
}

fn fnv(text: &str) -> u64 {
    text.bytes()
        .fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
}

#[test]
fn what_only_one_network_is_kept_in_is_of_no_other() {
    let has = |name: &str, ecosystem: &str| zoo::dialects(name).any(|dialect| dialect.name == ecosystem);
    for own in ["tf_efficientnet_b0", "tf_efficientnet_b1.ap_in1k"] {
        assert!(has(own, "efficientnet_pytorch"), "{own}");
    }
    assert!(!has("efficientnet_b0", "efficientnet_pytorch") && !has("resnet50", "efficientnet_pytorch"));
    // timm's own B5 has another eps than torchvision's.
    let place = Stored::As("bn2.weight".to_owned());
    let is_timms = |name| zoo::dialects(name).any(|dialect| dialect.place("features.8.1.weight") == place);
    assert!(is_timms("efficientnet_b4") && !is_timms("efficientnet_b5"));
    assert!(is_timms("efficientnet_b5.sw_in12k_ft_in1k"));
    // Any may be of a network that is made from a folder.
    assert!(has("vit", "transformers") && has("vit", "gluon"));
}

#[test]
fn what_timm_builds_is_known_by_its_name() {
    for (ours, theirs, param, place) in [
        ("resnext50_32x4d", Some("resnext50_32x4d"), "fc.weight", "fc.weight"),
        ("mobilenet_v2", Some("mobilenetv2_100"), "classifier.1.weight", "classifier.weight"),
        ("vgg11", Some("vgg11"), "classifier.6.bias", "head.fc.bias"),
        ("tf_efficientnet_b0.ap_in1k", Some("tf_efficientnet_b0"), "bn1.weight", "bn1.weight"),
        ("vit_b_16", Some("vit_base_patch16_224"), "encoder.ln.bias", "norm.bias"),
        (
            "vit_base_patch16_clip_224.openai",
            Some("vit_base_patch16_clip_224"),
            "norm_pre.bias",
            "norm_pre.bias",
        ),
        ("swin_t", Some("swin_tiny_patch4_window7_224"), "head.bias", "head.fc.bias"),
        ("mobilenet_v3_large", Some("mobilenetv3_large_100"), "classifier.0.bias", "conv_head.bias"),
        ("mnasnet0_5", Some("mnasnet_050"), "layers.8.1.layers.3.weight", "blocks.1.1.conv_dw.weight"),
        ("efficientnet_b5", Some("efficientnet_b5"), "classifier.1.bias", "classifier.bias"),
        // timm has no weights of them.
        ("efficientnet_b6", Some("efficientnet_b6"), "features.8.1.bias", "bn2.bias"),
        ("efficientnet_v2_s", Some("efficientnetv2_s"), "features.7.0.weight", "conv_head.weight"),
        ("efficientnet_v2_l", Some("efficientnetv2_l"), "features.3.6.block.1.1.bias", "blocks.2.6.bn2.bias"),
        // Its own, and those that timm has not.
        ("headstart_tiny", None, "", ""),
        ("mnasnet1_3", None, "", ""),
        ("alexnet", None, "", ""),
    ] {
        let found = zoo::in_timm(zoo::find(ours).unwrap());
        assert_eq!(found.map(|(name, _)| name), theirs, "{ours}");
        if let Some((_, dialect)) = found {
            assert_eq!(dialect.place(param), Stored::As(place.to_owned()), "{ours}");
        }
    }
}

#[test]
fn timm_builds_with_its_own_eps() {
    for (name, here, there) in [
        ("efficientnet_b0", 1e-5, 1e-5),
        ("efficientnet_b7", 1e-3, 1e-5),
        ("efficientnet_v2_m", 1e-3, 1e-5),
        ("inception_v3", 1e-3, 1e-3),
        ("tf_efficientnetv2_s", 1e-3, 1e-3),
    ] {
        let entry = zoo::find(name).unwrap();
        assert_eq!(entry.network().batch_norm_eps(), Some(here), "{name}");
        assert_eq!(zoo::built_by_timm(entry).batch_norm_eps(), Some(there), "{name}");
    }
}
