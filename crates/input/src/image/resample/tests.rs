use super::*;
use Filter::{Bicubic, Bilinear};

/// A picture that any slip in weights, rounding or order shows up in.
fn busy(width: u32, height: u32) -> Picture {
    Picture::from_fn(width, height, |x, y| {
        [(x * 7 + y * 13) % 256, (x * x + y) % 256, (x * y * 3 + 11) % 251].map(|v| v as u8)
    })
}

/// FNV-1a, 64 bits: short enough to be written down in Python as well.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3))
}

#[test]
fn every_size_has_pillows_bits() {
    // fnv(np.asarray(Image.fromarray(busy).resize(to, filter)).tobytes()), Pillow 13.
    let cases = [
        ((64, 48), (33, 17), Bilinear, 0x3036A039A3EB6010),
        ((64, 48), (33, 17), Bicubic, 0xF7C3B84AEDD4CBAE),
        ((64, 48), (64, 20), Bilinear, 0xDFF031FAD4CEB107),
        ((64, 48), (64, 20), Bicubic, 0x4801AB77EA2651C4),
        ((64, 48), (31, 48), Bilinear, 0x65BA19475F018F3F),
        ((64, 48), (31, 48), Bicubic, 0xD59DF5952B5D74D5),
        ((64, 48), (64, 48), Bilinear, 0x090F317058A1F866),
        ((64, 48), (64, 48), Bicubic, 0x090F317058A1F866),
        ((5, 7), (40, 3), Bilinear, 0x12BC186B3409A3C5),
        ((5, 7), (40, 3), Bicubic, 0x6134EADC8CD5CAF1),
        ((1, 1), (9, 6), Bilinear, 0x58088126FBE083DF),
        ((1, 1), (9, 6), Bicubic, 0x58088126FBE083DF),
        ((97, 131), (190, 256), Bilinear, 0x60BBBB240E438069),
        ((97, 131), (190, 256), Bicubic, 0x7BBA947B78BA9E38),
        ((300, 2), (7, 5), Bilinear, 0x54BA4625B8498D9E),
        ((300, 2), (7, 5), Bicubic, 0x3B402B8AAE2ACBBF),
        ((2, 300), (3, 1), Bilinear, 0x468EC2A28DCC9E2A),
        ((2, 300), (3, 1), Bicubic, 0x2FAC4AA663EA3C26),
        ((640, 3), (341, 256), Bilinear, 0x8851A943F608B6BD),
        ((640, 3), (341, 256), Bicubic, 0xDF4BA6B794C8C638),
        ((255, 256), (256, 255), Bilinear, 0x24B5204AE06D25D6),
        ((255, 256), (256, 255), Bicubic, 0xEF6F6CCB3E1DEDFC),
        ((33, 1), (1, 33), Bilinear, 0x78DCD3B24A4309A2),
        ((33, 1), (1, 33), Bicubic, 0x8E6AD5B7513835E1),
    ];
    for ((width, height), to, filter, expected) in cases {
        let resized = resize(&busy(width, height), to.0, to.1, filter);
        assert_eq!((resized.width, resized.height), to);
        assert_eq!(fnv(&resized.pixels), expected, "{width}×{height} to {to:?}, {filter:?}");
    }
}

#[test]
fn edges_and_overshoot_are_pillows() {
    let line = Picture {
        width: 5,
        height: 1,
        pixels: [0, 255, 0, 10, 200].into_iter().flat_map(|v| [v; 3]).collect(),
    };
    let to = |width, filter| -> Vec<u8> {
        resize(&line, width, 1, filter).pixels.chunks(3).map(|p| p[0]).collect()
    };
    assert_eq!(to(3, Bilinear), [109, 59, 119]);
    assert_eq!(to(3, Bicubic), [113, 58, 114]);
    assert_eq!(to(8, Bilinear), [0, 112, 239, 80, 3, 9, 117, 200]);
    assert_eq!(to(8, Bicubic), [0, 114, 253, 77, 0, 4, 125, 214]);
}

#[test]
fn the_same_size_is_the_same_picture() {
    let picture = busy(31, 9);
    assert_eq!(resize(&picture, 31, 9, Bicubic), picture);
}

#[test]
fn a_window_has_the_bytes_of_the_whole() {
    for (size, columns, rows) in [
        ((40, 30), 7..33, 2..29),
        ((60, 10), 7..33, 2..9),
        ((64, 30), 10..20, 0..30),
        ((40, 48), 0..1, 47..48),
    ] {
        let picture = busy(64, 48);
        let whole = resize(&picture, size.0, size.1, Bicubic);
        let window = resize_window(&Part::of(&picture), size, Bicubic, columns.clone(), rows.clone());
        let expected: Vec<u8> = rows
            .flat_map(|y| columns.clone().map(move |x| (y * size.0 + x) as usize * CHANNELS))
            .flat_map(|at| whole.pixels[at..at + CHANNELS].to_vec())
            .collect();
        assert_eq!(window, expected, "{size:?}");
    }
}

#[test]
fn every_instruction_set_has_the_same_bits() {
    // Noise between black and white overshoots at every edge; widths and heights around the vectors' lengths.
    let noise = Picture::from_fn(70, 53, |x, y| {
        [x * 7919 + y * 104_729, x * y * 31, x ^ (y * 3)].map(|v| if v % 5 < 2 { 255 } else { (v % 3) as u8 })
    });
    for filter in [Bilinear, Bicubic] {
        for (width, height) in
            [(1, 1), (15, 80), (16, 16), (17, 33), (21, 5), (22, 31), (70, 20), (99, 53), (140, 97)]
        {
            let resized =
                |isa| resize_by(isa, &Part::of(&noise), (width, height), filter, 0..width, 0..height);
            assert!(resized(Isa::best()) == resized(Isa::portable()), "{width}×{height}, {filter:?}");
        }
    }
}

#[test]
fn inputs_are_all_that_a_window_needs() {
    for filter in [Bilinear, Bicubic] {
        for (whole, size, wanted) in
            [(640, 341, 58..282), (480, 256, 16..240), (100, 300, 7..9), (50, 50, 3..20)]
        {
            let needed = inputs(whole, size, wanted.clone(), filter);
            let all = match whole == size {
                true => wanted.start as usize..wanted.end as usize,
                false => Weights::new(whole, size, wanted, filter).inputs(),
            };
            assert_eq!(needed.start as usize..needed.end as usize, all, "{whole} to {size}");
        }
    }
}
