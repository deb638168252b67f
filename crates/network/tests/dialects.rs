//! Names that other ecosystems give to our parameters.

use headstart_network::{
    families::{convnext, efficientnet, mobilenet_v2, swin, vgg, vit},
    zoo,
};

#[test]
fn timm_names_are_timms() {
    // FNV-1a of the sorted keys of `timm.create_model(name).state_dict()`, timm 1.0.31, batch counters left out.
    for (name, naming, expected) in [
        ("vgg11", vgg::timm_name as fn(&str) -> String, 0xCA5B_0DA6_DC2D_01E4_u64),
        ("vgg16_bn", vgg::timm_name, 0x2102_C02F_8108_4D5E),
        ("mobilenetv2_100", mobilenet_v2::timm_name, 0x4941_ED80_42F0_9110),
        ("efficientnet_b0", efficientnet::timm_name, 0x5D5A_FDA1_66C0_A0E1),
        ("efficientnet_b4", efficientnet::timm_name, 0x17EE_DBDC_FE93_6B7E),
        ("convnext_small", convnext::timm_name, 0x1A04_8B45_89E5_3595),
        ("vit_b_16", vit::timm_name, 0x716C_7B24_EA82_3AEE),
        ("vit_l_16", vit::timm_name, 0x24F6_B2A2_78AC_CBDE),
        ("swin_t", swin::timm_name, 0x035A_3843_F2B4_1F75),
        ("swin_b", swin::timm_name, 0x875D_C855_62AD_5BB1),
    ] {
        let network = zoo::find(name).map(|entry| (entry.build)()).unwrap();
        let mut names: Vec<String> = network.params().iter().map(|param| naming(&param.name)).collect();
        names.sort();
        let digest = names.join("\n").bytes().fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3)
        });
        assert_eq!(digest, expected, "{name}: {names:?}");
    }
}
