//! Every network against torchvision's own, or timm's: parameter counts and names; sizes and taps.

#![expect(clippy::unwrap_used, reason = "tests")]

use headstart_network::{Builder, By, Network, NetworkError, Shape, zoo};

fn build(name: &str) -> Network {
    zoo::find(name).unwrap().network()
}

#[test]
fn parameters_are_the_peers() {
    // (name, sum of p.numel() over parameters(), FNV-1a of the sorted lines "name shape" of the state dict without
    // batch counters and Swin's indices), torchvision 0.29.2; those that only timm has, timm 1.0.31.
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
        ("alexnet", 61_100_840, 0xAAFD_D02A_3CFD_A67A),
        ("googlenet", 6_624_904, 0x269B_7212_673D_03E1),
        ("inception_v3", 23_834_568, 0x2D43_6E96_6A70_1D0F),
        ("shufflenet_v2_x0_5", 1_366_792, 0x563D_55D5_8948_0F43),
        ("shufflenet_v2_x1_0", 2_278_604, 0x3CE2_C1D5_FA4B_CF47),
        ("shufflenet_v2_x1_5", 3_503_624, 0xE858_4155_9E6B_E241),
        ("shufflenet_v2_x2_0", 7_393_996, 0x1E02_5CC6_7B79_FB4A),
        ("mnasnet0_5", 2_218_512, 0xC2C5_9AAB_8880_1480),
        ("mnasnet0_75", 3_170_208, 0xEDEB_3737_0545_E04A),
        ("mnasnet1_0", 4_383_312, 0x6E7A_75C5_C874_3088),
        ("mnasnet_100", 4_383_312, 0x6E7A_75C5_C874_3088),
        ("mnasnet1_3", 6_282_256, 0x6619_52E9_E92B_3514),
        ("resnext50_32x4d", 25_028_904, 0xA735_6C00_DB53_C674),
        ("resnext101_32x8d", 88_791_336, 0x0204_7B20_DF58_E231),
        ("resnext101_64x4d", 83_455_272, 0x18BB_4D1B_6F83_BC06),
        ("wide_resnet50_2", 68_883_240, 0x9DAE_FB04_F2C9_4897),
        ("wide_resnet101_2", 126_886_696, 0x1DA3_C427_9CBC_ECB0),
        ("resnet18d", 11_708_744, 0x952B_64F8_1AD3_6D84),
        ("resnet26d", 16_014_408, 0x52E2_ABC5_5E66_2E8E),
        ("resnet34d", 21_816_904, 0xCB64_8C15_994D_2802),
        ("resnet50d", 25_576_264, 0x0FB3_1F1A_7BF4_CD80),
        ("resnet101d", 44_568_392, 0x76A4_953A_4197_89FF),
        ("densenet121", 7_978_856, 0xEDC6_4A8A_ADF3_95D9),
        ("densenet161", 28_681_000, 0xF688_BFC1_7B41_D876),
        ("densenet169", 14_149_480, 0xCEB8_19D2_745C_D501),
        ("densenet201", 20_013_928, 0x9D0B_998D_FCC1_A483),
        ("mobilenet_v3_small", 2_542_856, 0x3B17_CB76_06F8_9947),
        ("mobilenetv3_small_100", 2_542_856, 0x3B17_CB76_06F8_9947),
        ("mobilenet_v3_large", 5_483_032, 0x76FC_7422_61A6_FE78),
        ("mobilenetv3_large_100", 5_483_032, 0x76FC_7422_61A6_FE78),
        ("mobilenetv4_conv_small", 3_774_024, 0x4D75_96B3_69F1_91FC),
        ("mobilenetv4_conv_medium", 9_715_512, 0x6476_4D26_1762_B4E3),
        ("mobilenetv4_conv_large", 32_590_864, 0x3666_31FB_8EFA_8F0B),
        ("efficientnet_b0", 5_288_548, 0x3B6C_0464_6663_98FE),
        ("efficientnet_b1", 7_794_184, 0x3F5F_0245_2A13_F9D0),
        ("efficientnet_b2", 9_109_994, 0x904E_6EE6_8367_8D69),
        ("efficientnet_b3", 12_233_232, 0xA030_48CD_8292_BB65),
        ("efficientnet_b4", 19_341_616, 0x585F_38D1_69D7_734B),
        ("efficientnet_b5", 30_389_784, 0xCA0F_296B_ECC6_E335),
        ("efficientnet_b6", 43_040_704, 0xE3CC_6B80_B599_9D19),
        ("efficientnet_b7", 66_347_960, 0x150D_647A_963B_9329),
        ("efficientnet_v2_s", 21_458_488, 0x9C3A_7750_4631_DC62),
        ("efficientnet_v2_m", 54_139_356, 0xA1AC_4082_95CC_1800),
        ("efficientnet_v2_l", 118_515_272, 0x7A77_AE23_546E_3193),
        ("tf_efficientnet_b0", 5_288_548, 0xA39E_A5C6_34BE_7C28),
        ("tf_efficientnet_b1", 7_794_184, 0x446E_8F45_8655_35D6),
        ("tf_efficientnet_b2", 9_109_994, 0x0274_3BB6_9EEF_E261),
        ("tf_efficientnet_b3", 12_233_232, 0x4778_90E7_BF18_1806),
        ("tf_efficientnet_b4", 19_341_616, 0x73F9_DB34_4DF0_8672),
        ("tf_efficientnet_b5", 30_389_784, 0xB916_2CF6_00A3_003C),
        ("tf_efficientnet_b6", 43_040_704, 0xC991_9BC2_D6F5_5F82),
        ("tf_efficientnet_b7", 66_347_960, 0xA85B_F57E_3D3B_ACEB),
        ("tf_efficientnet_lite0", 4_652_008, 0xBE85_E098_F3FE_834B),
        ("tf_efficientnet_lite1", 5_416_680, 0xEEC0_57FC_296C_6FE1),
        ("tf_efficientnet_lite2", 6_092_072, 0xFC74_18F1_454E_F7DB),
        ("tf_efficientnet_lite3", 8_197_096, 0xBD1D_F22E_453C_9EB7),
        ("tf_efficientnet_lite4", 13_006_568, 0x3870_9B0F_8A22_AB17),
        ("tf_efficientnetv2_b0", 7_139_704, 0xDE07_C26F_072C_F97A),
        ("tf_efficientnetv2_b1", 8_141_052, 0x26C9_E551_A1BE_512A),
        ("tf_efficientnetv2_b2", 10_096_086, 0x096E_2458_A5FB_9EC5),
        ("tf_efficientnetv2_b3", 14_358_406, 0x4CE6_733B_FB20_597C),
        ("tf_efficientnetv2_s", 21_458_488, 0x5E54_3952_B9FB_B2E4),
        ("tf_efficientnetv2_m", 54_139_356, 0x6E6C_8B21_9131_A826),
        ("tf_efficientnetv2_l", 118_515_272, 0x08A4_7B1E_76FA_2745),
        ("tf_efficientnetv2_xl", 208_119_808, 0x0513_209C_D419_7133),
        ("efficientnet_lite0", 4_652_008, 0xBE85_E098_F3FE_834B),
        ("regnet_x_400mf", 5_495_976, 0x1539_D17D_84BA_F4F0),
        ("regnet_x_800mf", 7_259_656, 0x235B_69D7_0314_A1F3),
        ("regnet_x_1_6gf", 9_190_136, 0x32EF_70E9_E2CB_699F),
        ("regnet_x_3_2gf", 15_296_552, 0x255F_E51A_48E6_6A5B),
        ("regnet_x_8gf", 39_572_648, 0x3A90_67F9_510F_BFB7),
        ("regnet_x_16gf", 54_278_536, 0x90BA_76C6_4B72_6302),
        ("regnet_x_32gf", 107_811_560, 0x26D9_AB0D_9AA4_4B8F),
        ("regnet_y_400mf", 4_344_144, 0x74AA_AF25_1E66_64DA),
        ("regnet_y_800mf", 6_432_512, 0x0C2E_FA5D_9FD5_FB7B),
        ("regnet_y_1_6gf", 11_202_430, 0x7ED5_8ECC_8580_C54E),
        ("regnet_y_3_2gf", 19_436_338, 0x5074_87B8_1B15_6F4F),
        ("regnet_y_8gf", 39_381_472, 0x78E1_1980_69A1_35E6),
        ("regnet_y_16gf", 83_590_140, 0x0E7E_07B6_3FEE_3C75),
        ("regnet_y_32gf", 145_046_770, 0xAAAA_D3DE_DADC_606A),
        ("regnet_y_128gf", 644_812_894, 0x2F76_11AA_1A4A_4B61),
        ("convnext_tiny", 28_589_128, 0xAAB1_5ADD_444A_798F),
        ("convnext_small", 50_223_688, 0xAF37_34E2_12A9_9EEE),
        ("convnext_base", 88_591_464, 0x8E19_04EA_5BA0_2345),
        ("convnext_large", 197_767_336, 0x9565_4BA5_F88E_3C70),
        ("vit_b_16", 86_567_656, 0xA7BA_8FA4_CD63_10C6),
        ("vit_b_32", 88_224_232, 0xAD3B_2E10_C50D_D44E),
        ("vit_l_16", 304_326_632, 0x54A8_61B5_6709_E0F2),
        ("vit_l_32", 306_535_400, 0xF87C_C166_B467_659A),
        ("vit_tiny_patch16_224", 5_717_416, 0x013F_F5B6_4DEE_AD9B),
        ("vit_small_patch16_224", 22_050_664, 0x83B4_11C3_792A_ED5E),
        ("vit_small_patch32_224", 22_878_952, 0x66A5_6F19_93BF_1F2E),
        ("vit_base_patch16_224", 86_567_656, 0x1B2C_A6BD_9D23_DDD8),
        ("vit_base_patch32_224", 88_224_232, 0x7573_6C14_E387_D1C0),
        ("vit_large_patch16_224", 304_326_632, 0xD719_B043_9611_565E),
        ("deit_tiny_patch16_224", 5_717_416, 0x013F_F5B6_4DEE_AD9B),
        ("deit_small_patch16_224", 22_050_664, 0x83B4_11C3_792A_ED5E),
        ("deit_base_patch16_224", 86_567_656, 0x1B2C_A6BD_9D23_DDD8),
        ("vit_small_patch14_dinov2", 22_056_192, 0xA4C6_9337_CD20_8B7A),
        ("vit_base_patch14_dinov2", 86_579_712, 0xBE9D_A561_ACF2_A916),
        ("vit_large_patch14_dinov2", 304_367_616, 0xAF39_7ABD_95CE_9EF8),
        ("vit_small_patch14_reg4_dinov2", 22_057_344, 0x67CD_E831_9AF0_08A6),
        ("vit_base_patch14_reg4_dinov2", 86_582_016, 0xC5DE_97A4_416D_2944),
        ("vit_large_patch14_reg4_dinov2", 304_370_688, 0x0478_F876_9673_AFC2),
        ("vit_base_patch16_clip_224", 86_568_424, 0x8C74_84D7_0EA5_D0E8),
        ("vit_base_patch32_clip_224", 88_225_000, 0x7F6D_DF7F_7C57_D410),
        ("vit_large_patch14_clip_224", 304_204_776, 0xAEFE_1CE0_B730_FF8F),
        ("vit_base_patch16_clip_quickgelu_224", 86_193_152, 0xA2E1_8C51_B01F_D8D6),
        ("vit_base_patch32_clip_quickgelu_224", 87_849_728, 0xAFC8_46B2_92A7_F31E),
        ("vit_large_patch14_clip_quickgelu_224", 303_966_976, 0x80B3_7FF4_4A14_4895),
        ("vit_base_patch16_siglip_224", 92_884_224, 0xB08E_C20F_207B_556B),
        ("vit_tiny_patch16_384", 5_790_376, 0x0C03_B763_D9DE_05DD),
        ("vit_small_patch16_384", 22_196_584, 0xF887_C0D8_57EF_F2E4),
        ("vit_small_patch32_384", 22_915_432, 0xA39D_C456_55B6_FB01),
        ("vit_small_patch8_224", 21_670_272, 0x8253_BA91_CD2D_0513),
        ("vit_base_patch8_224", 86_576_872, 0x3D05_D46D_06C6_1C99),
        ("vit_base_patch16_384", 86_859_496, 0x058E_17EF_CAE8_6E22),
        ("vit_base_patch32_384", 88_297_192, 0x42D4_CB09_F055_8DA3),
        ("vit_large_patch16_384", 304_715_752, 0x6E4B_8BA7_1075_E644),
        ("vit_large_patch32_224", 305_510_400, 0xB6ED_9945_C20C_53CC),
        ("vit_large_patch32_384", 306_632_680, 0x65DA_EE84_B5DF_7A97),
        ("vit_huge_patch14_224", 630_764_800, 0x1582_0239_2DAB_BA2F),
        ("deit_base_patch16_384", 86_859_496, 0x058E_17EF_CAE8_6E22),
        ("deit3_small_patch16_224", 22_059_496, 0x6789_C30A_2407_6C7B),
        ("deit3_medium_patch16_224", 38_849_512, 0x0852_C0A1_B219_1DE2),
        ("deit3_base_patch16_224", 86_585_320, 0x71F6_AEB3_C625_973D),
        ("deit3_large_patch16_224", 304_374_760, 0xF9A6_0230_7E55_6005),
        ("deit3_huge_patch14_224", 632_126_440, 0xA612_2148_9055_BF52),
        ("deit3_small_patch16_384", 22_205_416, 0x804A_003D_EB63_2875),
        ("deit3_base_patch16_384", 86_877_160, 0x9852_D3A3_B7D4_6073),
        ("deit3_large_patch16_384", 304_763_880, 0x03A1_605A_894C_181F),
        ("vit_giant_patch14_dinov2", 1_136_479_232, 0xFAB9_18E1_C85F_C620),
        ("vit_giant_patch14_reg4_dinov2", 1_136_483_840, 0x4C37_73B0_65AE_E966),
        ("vit_base_patch16_clip_384", 86_860_264, 0xF08E_297D_9CA9_05F2),
        ("vit_base_patch16_plus_clip_240", 117_214_464, 0xD3EB_25AA_D6FA_E02F),
        ("vit_base_patch32_clip_256", 87_861_248, 0xF67C_F32F_925D_A8E2),
        ("vit_base_patch32_clip_384", 88_297_960, 0x4BC3_2EA7_8060_1373),
        ("vit_base_patch32_clip_448", 88_337_896, 0xDE99_26D9_A99A_7A60),
        ("vit_large_patch14_clip_336", 304_532_456, 0xE057_22A3_EFEA_2B4E),
        ("vit_huge_patch14_clip_224", 632_047_080, 0x6163_8C0E_D835_3317),
        ("vit_huge_patch14_clip_336", 632_456_680, 0x80A1_AC67_BD5D_CB5A),
        ("vit_huge_patch14_clip_378", 632_683_264, 0x6D32_52D1_577D_83CB),
        ("vit_giant_patch14_clip_224", 1_012_646_656, 0x6935_6A4B_F10D_A803),
        ("vit_gigantic_patch14_clip_224", 1_844_908_544, 0xE3BA_9A16_ECDD_22BF),
        ("vit_gigantic_patch14_clip_378", 1_845_695_616, 0xC300_CA4C_33B1_C837),
        ("vit_large_patch14_clip_quickgelu_336", 304_294_656, 0x94BF_4D94_2F68_C764),
        ("vit_huge_patch14_clip_quickgelu_224", 632_077_824, 0xC315_1572_71DD_0163),
        ("vit_huge_patch14_clip_quickgelu_378", 632_683_264, 0x6D32_52D1_577D_83CB),
        ("vit_gigantic_patch14_clip_quickgelu_224", 1_844_908_544, 0xE3BA_9A16_ECDD_22BF),
        ("vit_base_patch16_siglip_256", 92_930_304, 0x9DC1_E1E9_2D77_3E6E),
        ("vit_base_patch16_siglip_384", 93_176_064, 0x3E74_98A8_A1CB_039D),
        ("vit_base_patch16_siglip_512", 93_520_128, 0x790C_B468_664F_C99E),
        ("vit_base_patch32_siglip_256", 94_552_320, 0x0CBD_DC4B_52F8_4EE3),
        ("vit_giantopt_patch16_siglip_256", 1_163_168_256, 0xAF09_9043_55E2_E48D),
        ("vit_giantopt_patch16_siglip_384", 1_163_659_776, 0x88E3_005E_3866_090C),
        ("vit_large_patch16_siglip_256", 315_956_224, 0x3166_BA79_BD18_E73F),
        ("vit_large_patch16_siglip_384", 316_283_904, 0xCA3D_A320_54CC_BE42),
        ("vit_large_patch16_siglip_512", 316_742_656, 0xFC63_87B9_6C99_6A91),
        ("vit_so400m_patch14_siglip_224", 427_680_704, 0x7180_6330_9915_EFF1),
        ("vit_so400m_patch14_siglip_378", 428_225_600, 0x267E_89A0_DDB1_3D76),
        ("vit_so400m_patch14_siglip_384", 428_225_600, 0x267E_89A0_DDB1_3D76),
        ("vit_so400m_patch16_siglip_256", 427_888_064, 0x8CD4_9C64_C748_5695),
        ("vit_so400m_patch16_siglip_384", 428_256_704, 0x1B02_1FF4_03DB_B178),
        ("vit_so400m_patch16_siglip_512", 428_772_800, 0x03CA_51A8_2D35_E50F),
        ("swin_t", 28_288_354, 0x7405_AA25_1320_3511),
        ("swin_s", 49_606_258, 0xF122_523D_B2E0_AA01),
        ("swin_b", 87_768_224, 0xB260_282D_CF77_A16F),
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
fn networks_under_names_of_their_own_have_the_peers_numbers() {
    // timm's, whose names of parameters `dialects.rs` checks.
    for (name, count) in [
        ("convnextv2_atto", 3_708_400),
        ("convnextv2_femto", 5_233_240),
        ("convnextv2_pico", 9_066_280),
        ("convnextv2_nano", 15_623_800),
        ("convnextv2_tiny", 28_635_496),
        ("convnextv2_base", 88_717_800),
        ("convnextv2_large", 197_956_840),
    ] {
        assert_eq!(build(name).parameter_count(), count, "{name}");
    }
}

#[test]
fn every_entry_works_at_its_size_and_taps() {
    for entry in zoo::all() {
        let network = entry.network();
        assert_eq!(network.name(), entry.name);
        assert_eq!(zoo::find(entry.name).unwrap().name, entry.name);
        if network.reads_texts() {
            assert_eq!(network.for_taps(&[entry.default_tap]).unwrap().widths(1, 1).unwrap(), [96]);
            continue;
        }
        let (height, width) = entry.input_size().unwrap();
        (entry.recipe)().check().unwrap();
        network.shapes(height as usize, width as usize).unwrap();
        let taps: Vec<&str> = network.taps().iter().map(|tap| tap.name.as_str()).collect();
        assert!(taps.contains(&entry.default_tap) && taps.contains(&"pooled"), "{}: {taps:?}", entry.name);
        assert!(taps.contains(&"gap") || taps.contains(&"patch_mean"), "{}: {taps:?}", entry.name);
        for &tap in &taps {
            let cut = network.for_taps(&[tap]).unwrap();
            let widths = cut.widths(height as usize, width as usize).unwrap();
            assert!(matches!(*widths, [16..=8192]), "{} {tap}: {widths:?}", entry.name);
        }
        let pooled = network.for_taps(&["pooled"]).unwrap();
        let classifies = taps.iter().any(|tap| ["logits", "projected"].contains(tap));
        assert_eq!(pooled.params().len() < network.params().len(), classifies, "{}", entry.name);
    }
}

#[test]
fn entries_that_differ_in_preprocessing_alone_share_a_graph() {
    let print = |name: &str| build(name).for_taps(&["pooled"]).unwrap().fingerprint();
    // Of timm's own there is one that is another graph as well.
    let plain = |entry: &zoo::Entry| entry.tags.is_empty().then(|| entry.name.split_once('.')).flatten();
    let tagged = zoo::all().iter().filter_map(|entry| Some((entry.name, plain(entry)?.0)));
    let (theirs, ours) = (zoo::find_timms("efficientnet_b5").unwrap(), zoo::find("efficientnet_b5").unwrap());
    assert_ne!(print(theirs.name), print(ours.name));
    for name in ["resnet50", "tf_efficientnet_b0", "tf_efficientnet_b0.ap_in1k"] {
        assert_eq!(zoo::find_timms(name).unwrap().name, name);
    }
    // A tag stands in place of the one in the name; timm's plain name is of the plain network.
    let clip = "vit_base_patch16_clip_224";
    for (name, entry) in [("dfn2b", "laion2b"), ("openai_ft_in12k", "openai_ft_in1k"), ("openai", "openai")] {
        let entry = format!("{clip}.{entry}");
        assert_eq!(zoo::find(&format!("{clip}.{name}")).unwrap().name, entry);
        assert_eq!(print(&entry), print(clip));
    }
    assert_eq!(zoo::find_timms(clip).unwrap().name, clip);
    let twins = [
        ("mobilenetv2_100", "mobilenet_v2"),
        ("swin_tiny_patch4_window7_224", "swin_t"),
        ("swin_small_patch4_window7_224", "swin_s"),
        ("swin_base_patch4_window7_224", "swin_b"),
        ("deit_tiny_patch16_224", "vit_tiny_patch16_224"),
    ];
    for (one, other) in tagged.chain(twins) {
        assert_eq!(print(one), print(other), "{one}");
        let [one, other] = [one, other].map(|name| zoo::find(name).unwrap());
        assert_ne!((one.recipe)(), (other.recipe)(), "{}", one.name);
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
    // A mean need not be asked for, and what stands side by side is the same in whatever order it was asked for.
    assert_eq!(print(&["layer3:mean"]), print(&["layer3"]));
    for taps in [["layer3:max", "layer3:mean+max"], ["layer3:mean+max", "layer3"]] {
        let wide = full.for_taps(&taps).unwrap();
        for tap in taps {
            assert_eq!(wide.for_taps(&[tap]).unwrap().fingerprint(), print(&[tap]), "{tap} of {taps:?}");
        }
    }
}

#[test]
fn maps_become_vectors_as_is_said_behind_a_colon() {
    let full = build("resnet18");
    let widths = |taps: &[&str]| full.for_taps(taps).and_then(|part| part.widths(64, 96));
    assert_eq!(
        widths(&["layer3:mean", "layer3:max", "layer3:mean+max", "layer3:flat", "layer4:max"]).unwrap(),
        [256, 256, 512, 256 * 4 * 6, 512]
    );
    for (tap, expected) in [
        ("pooled:max", "`pooled` of resnet18 is a vector already, which is not pooled"),
        ("layer3:median", "resnet18 has no tap `layer3:median`"),
        ("layer9:max", "resnet18 has no tap `layer9`"),
        ("layer3:", "resnet18 has no tap `layer3:`"),
    ] {
        let message = widths(&[tap]).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
    }
    // Tokens: those that are places.
    let vit = build("vit_tiny_patch16_224");
    let block = "blocks.3";
    let part = vit.for_taps(&[&format!("{block}:mean+max")]).unwrap();
    assert_eq!(part.widths(224, 224).unwrap(), [384]);
    let flat = vit.for_taps(&[&format!("{block}:flat"), "pooled"]).unwrap();
    assert_eq!(flat.widths(224, 224).unwrap(), [197 * 192, 192]);
    let tokens = Shape::Tokens { prefix: 1, places: 196, width: 192 };
    assert_eq!(flat.unflattened(224, 224).unwrap(), [Some(tokens), None]);
    // One place was pooled before.
    let small = build("mobilenetv4_conv_small").for_taps(&["pooled"]).unwrap();
    assert_eq!(small.unflattened(224, 224).unwrap(), [None]);
    // Tokens of texts are as many as there are.
    let mut net = Builder::text();
    let x = net.lookup("words", By::Token, (10, 4));
    let text = net.finish("texts", x);
    assert!(text.for_taps(&["words:max"]).is_ok());
    let message = text.for_taps(&["words:flat"]).unwrap_err().to_string();
    assert!(message.starts_with("`words` of texts has a row for each token"), "{message}");
    // And what they are looked up in is below every cut.
    let mut net = Builder::text();
    let words = net.lookup("words", By::Token, (10, 4));
    let places = net.lookup("places", By::Place { first: 0, padding: None }, (10, 4));
    let x = net.add("sum", words, places);
    let x = net.linear("linear", x, 4);
    let text = net.finish("texts", x);
    assert!(text.cut(&["sum"], 1, 1).is_ok());
    let message = text.cut(&["words"], 1, 1).unwrap_err().to_string();
    assert!(message.contains("is needed beyond the cut as well"), "{message}");
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
        ("resnet50d", "conv1 conv1.4 act1 layer1.0.downsample layer2.0.downsample.0 layer2.0.act2 layer4"),
        (
            "densenet121",
            "features.relu0 features.denseblock2 features.denseblock2.denselayer3 features.transition1 features",
        ),
        (
            "mobilenet_v3_small",
            "features.1.block.1.fc1 features.1.block.1 features.1.block features.4 classifier.1",
        ),
        ("mobilenetv4_conv_small", "conv_stem blocks.0 blocks.2.0.dw_start.bn blocks.3.5 conv_head"),
        ("efficientnet_v2_s", "features.1.0.block.0 features.4.0.block.2.fc2 features.6.14.block features"),
        (
            "tf_efficientnet_lite0",
            "conv_stem bn1.act blocks blocks.0.0.bn2 blocks.2.1 blocks.5.3.conv_pwl bn2.act",
        ),
        ("alexnet", "features.12 avgpool classifier.0 classifier.5 classifier"),
        ("googlenet", "conv1 conv1.bn inception3a.branch2.1 inception4e.branch4 inception5b maxpool4"),
        (
            "inception_v3",
            "Conv2d_2b_3x3.bn Mixed_5b.branch_pool Mixed_6b.branch7x7_2.conv Mixed_7c.branch3x3_2a Mixed_7c",
        ),
        ("shufflenet_v2_x1_0", "conv1 stage2.0.branch1.4 stage3.1.branch2 stage4.3 stage4 conv5.2"),
        ("mnasnet1_0", "layers.2 layers.8.0.layers.7 layers.9.1.layers layers.13 layers classifier"),
        ("regnet_y_400mf", "stem trunk_output.block1 trunk_output.block3.block3-0.f.se trunk_output fc"),
        ("convnext_tiny", "features.0 features.1 features.1.0.block features.4.1 classifier.0"),
        ("convnextv2_atto", "features.1.0.block.grn features.1.1.block.sum features.7 stage4"),
        ("vit_b_16", "conv_proj encoder.layers.encoder_layer_11.mlp encoder.ln heads.head"),
        ("vit_tiny_patch16_224", "patch_embed.proj blocks.0.attn.qkv blocks.0.attn blocks.11 norm head"),
        ("vit_small_patch14_dinov2", "blocks.3.ls1 blocks.11"),
        ("vit_base_patch16_siglip_224", "attn_pool.latent attn_pool.q attn_pool.kv attn_pool.mlp attn_pool"),
        (
            "swin_t",
            "features.0 features.1.1.attn.qkv features.1.1.attn features.2.reduction features.2 norm head",
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
    assert!(error.starts_with("unknown backbone `resnet-18`; did you mean `resnet18`?"), "{error}");
    for (asked, found) in [
        ("vgg16.tv_in1k", "vgg16"),
        ("vit_tiny_patch16_224.augreg_in21k_ft_in1k", "vit_tiny_patch16_224"),
        ("convnext_tiny.fb_in1k", "convnext_tiny.fb_in1k"),
    ] {
        assert_eq!(zoo::find(asked).unwrap().name, found);
    }
    // Weights that were trained with another preprocessing do not pass for those that are known.
    zoo::find("vit_base_patch16_224.bamboo").unwrap_err();
}

#[test]
fn windows_that_do_not_divide_a_picture_name_a_size_that_they_do() {
    let network = build("swin_t");
    network.shapes(448, 224).unwrap();
    for (size, nearest) in [((256, 256), 224), ((400, 1000), 448), ((32, 32), 224), ((2000, 2000), 2016)] {
        let error = network.shapes(size.0, size.1).unwrap_err().to_string();
        let told = format!("; the nearest size that fits is {nearest}×{nearest}");
        assert!(error.starts_with("an input of ") && error.ends_with(&told), "{error}");
    }
}

#[test]
fn sizes_are_checked_before_anything_runs() {
    for (name, least) in [
        ("vgg16", 32),
        ("squeezenet1_1", 25),
        ("squeezenet1_0", 29),
        ("alexnet", 63),
        ("googlenet", 31),
        ("inception_v3", 75),
        ("shufflenet_v2_x1_0", 1),
        ("resnet18", 1),
        ("mobilenet_v2", 1),
        ("densenet121", 29),
        ("convnext_tiny", 32),
        ("vit_b_16", 16),
    ] {
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

#[test]
fn multiplications_are_those_that_the_papers_count() {
    // In thousands of millions, as the papers and torchvision's documentation round them.
    for (name, side, expected) in [
        ("resnet18", 224, 1.81),
        ("resnet50", 224, 4.09),
        ("vgg16", 224, 15.47),
        ("alexnet", 224, 0.714),
        ("googlenet", 224, 1.498),
        ("inception_v3", 299, 5.713),
        ("shufflenet_v2_x1_0", 224, 0.145),
        ("mnasnet1_0", 224, 0.314),
        ("mobilenet_v2", 224, 0.30),
        ("efficientnet_b0", 224, 0.39),
        ("convnext_tiny", 224, 4.46),
        ("vit_b_16", 224, 17.56),
        ("swin_t", 224, 4.49),
    ] {
        let network = zoo::find(name).unwrap().network();
        let counted = network.multiplications(side, side).unwrap() as f64 / 1e9;
        assert!((counted / expected - 1.0).abs() < 0.02, "{name}: {counted}");
    }
}
