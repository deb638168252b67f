//! Archives and files that are damaged, lie, or are something else.

use crate::{
    open, refused, six,
    writer::{Pickle, archive, dictionary, legacy, zipped},
};

fn one() -> Vec<u8> {
    dictionary(|p| p.text("x").plain())
}

#[test]
fn whatever_is_cut_off_a_file_is_refused() {
    let six = six();
    for file in [zipped(&one(), &[("0", &six)]), legacy(&one(), &[("0", 6, &six)])] {
        open(&file).unwrap();
        for cut in 1..file.len() {
            let error = refused(&file[..cut]);
            assert!(!error.is_empty() && error.len() <= 500 && !error.contains('\n'), "{cut}: {error}");
        }
    }
    let cut = legacy(&one(), &[("0", 6, &six[..20])]);
    assert_eq!(
        refused(&cut),
        "`w` is not a usable PyTorch file: it was cut short: the storage `0` is not whole"
    );
}

#[test]
fn archives_are_refused_for_what_is_wrong_with_them() {
    let (six, one) = (six(), one());
    let named = |name: &str| [("m/data.pkl".to_owned(), &one[..]), (name.to_owned(), &six[..])];
    let big = [("m/data.pkl".to_owned(), &one[..]), ("m/byteorder".to_owned(), b"big")];
    for (file, expected) in [
        (archive(&named("m/data/../data/0")), "zip file: its entry `m/data/../data/0` leads out of it"),
        (archive(&named("m/data/1")), "its tensor `x` needs `data/0`, which is not there"),
        (archive(&named("m/data.pkl")), "it holds `m/data.pkl` twice"),
        (archive(&named("n/data.pkl")), "it holds two checkpoints"),
        (archive(&big), "big-endian"),
        (archive(&[("word/document.xml".to_owned(), &six[..])]), "a zip archive without the `data.pkl`"),
        (zipped(&one, &[("0", &six[..20])]), "`x` needs 6 numbers of a storage of 20 bytes"),
        (zipped(b"", &[]), "its pickle ends in the middle of a step"),
    ] {
        let error = refused(&file);
        assert!(error.contains(expected), "{error}: {expected}");
    }
    // Compressed, as the directory says: the eleventh byte of each of its entries is the method.
    let mut packed = zipped(&one, &[("0", &six)]);
    let at = packed.windows(10).rposition(|bytes| bytes.starts_with(b"PK\x01\x02")).unwrap();
    packed[at + 10] = 8;
    assert!(refused(&packed).contains("`x` lies in `data/0`, which is compressed"));
}

#[test]
fn older_files_are_refused_for_what_is_wrong_with_them() {
    let (six, one) = (six(), one());
    let good = legacy(&one, &[("0", 6, &six)]);
    let replaced = |from: &[u8], to: &[u8]| {
        let at = good.windows(from.len()).position(|bytes| bytes == from).unwrap();
        [&good[..at], to, &good[at + from.len()..]].concat()
    };
    for (file, expected) in [
        (replaced(b"M\xe9\x03.", b"M\xe8\x03."), "its second pickle does not hold 1001"),
        (replaced(b"little_endian\x88", b"little_endian\x89"), "big-endian"),
        (Pickle::new().int(3).stop(), "a pickle that torch.save did not write"),
        (legacy(&one, &[]), "`x` needs the storage `0`, which is not there"),
        (legacy(&one, &[("0", u64::MAX, &six)]), "the storage `0` is not whole"),
        (legacy(&one, &[("0", 5, &six)]), "`x` needs 6 numbers of a storage of 20 bytes"),
        (legacy(&one, &[("0", 2, &six[..8]), ("0", 6, &six)]), "the storage `0` twice"),
        (legacy(&one, &[("0", 6, &six), ("1", 1, &six)]), "no tensor needs its storage `1`"),
    ] {
        let error = refused(&file);
        assert!(error.contains(expected), "{error}: {expected}");
    }
    let mut tar = vec![0; 512];
    tar[..8].copy_from_slice(b"sys_info");
    tar[257..262].copy_from_slice(b"ustar");
    assert!(refused(&tar).contains("it is a tar archive"));
}
