use super::*;
use ::tar::Builder;
use std::io::Cursor;

/// Name, and what it is: a file's bytes as text.
fn listing(bytes: &[u8]) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let each = |Member { name, kind }: Member| {
        let name = String::from_utf8_lossy(&name).into_owned();
        found.push(match kind {
            MemberKind::File(range) => {
                let text = &bytes[range.start as usize..range.end as usize];
                format!("{name}={}", String::from_utf8_lossy(text))
            }
            MemberKind::Folder => format!("{name} is a folder"),
            MemberKind::HardLink(to) => format!("{name} is {}", String::from_utf8_lossy(&to)),
            MemberKind::Other(what) => format!("{name}: {what}"),
        });
    };
    members(Cursor::new(bytes), each).map_err(|error| error.to_string())?;
    Ok(found)
}

fn put(tar: &mut Builder<Vec<u8>>, header: Header, name: &str, bytes: &[u8]) {
    let mut header = header;
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, name, bytes).unwrap();
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (name, bytes) in files {
        put(&mut tar, Header::new_ustar(), name, bytes);
    }
    tar.into_inner().unwrap()
}

#[test]
fn every_kind_of_header_is_read() {
    let long = format!("{}/a.txt", "long".repeat(60));
    for header in [Header::new_old, Header::new_ustar, Header::new_gnu] {
        let mut tar = Builder::new(Vec::new());
        put(&mut tar, header(), "a/1.txt", b"one");
        put(&mut tar, header(), "a/2.txt", b"");
        put(&mut tar, header(), &long, &[b'x'; 513]);
        let bytes = tar.into_inner().unwrap();
        assert!(is_tar(&bytes));
        let found = listing(&bytes).unwrap();
        assert_eq!(&found[..2], ["a/1.txt=one", "a/2.txt="]);
        assert_eq!(found[2], format!("{long}={}", "x".repeat(513)));
    }
    let mut tar = Builder::new(Vec::new());
    tar.append_pax_extensions([("path", "p/ü.txt".as_bytes()), ("size", b"3")]).unwrap();
    put(&mut tar, Header::new_ustar(), "short", b"pax");
    for (kind, name) in [
        (EntryType::Directory, "d/"),
        (EntryType::Symlink, "s"),
        (EntryType::Link, "h"),
        (EntryType::Fifo, "f"),
    ] {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        tar.append_link(&mut header, name, "p/ü.txt").unwrap();
    }
    tar.append_pax_extensions([("GNU.sparse.major", &b"1"[..])]).unwrap();
    put(&mut tar, Header::new_ustar(), "hole", b"1\n");
    let expected = [
        "p/ü.txt=pax",
        "d/ is a folder",
        "s: it is a symbolic link",
        "h is p/ü.txt",
        "f: it is no file",
        "hole: it is stored with holes",
    ];
    assert_eq!(listing(&tar.into_inner().unwrap()).unwrap(), expected);
}

#[test]
fn tars_may_follow_one_another() {
    let (one, two) = (tar(&[("a", b"1")]), tar(&[("b", b"2")]));
    assert_eq!(listing(&[&one[..], &two].concat()).unwrap(), ["a=1", "b=2"]);
    assert_eq!(listing(&[&one[..1024], &two].concat()).unwrap(), ["a=1", "b=2"]);
    assert!(listing(&vec![0; 10_240]).unwrap().is_empty());
    // A block of zeros is enough of an end.
    assert_eq!(listing(&one[..1536]).unwrap(), ["a=1"]);
    assert!(!is_tar(&[0; 512]) && !is_tar(b"a/1.png\n") && !is_tar(b""));
}

#[test]
fn headers_that_lie_are_told() {
    let good = tar(&[("a", b"1"), ("b", b"2")]);
    let sealed = |change: &dyn Fn(&mut Header)| {
        let mut bytes = good.clone();
        let mut header = Header::from_byte_slice(&bytes[..512]).clone();
        change(&mut header);
        header.set_cksum();
        bytes[..512].copy_from_slice(header.as_bytes());
        listing(&bytes).unwrap_err()
    };
    let cut = "it ends within `a`; it was not written or copied in full";
    assert_eq!(sealed(&|header| header.set_size(1 << 40)), cut);
    assert_eq!(sealed(&|header| header.set_size(u64::MAX)), cut);
    let wrong = "what begins at byte 0 is no header of a tar";
    assert_eq!(sealed(&|header| header.as_old_mut().size = *b"twelve bytes"), wrong);
    // Its bytes are taken for a header.
    assert_eq!(sealed(&|header| header.set_size(0)), "what begins at byte 512 is no header of a tar");
    let mut tar = Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::GNULongName);
    header.set_size(2 << 20);
    header.set_cksum();
    tar.append(&header, io::repeat(b'x').take(2 << 20)).unwrap();
    let told = listing(&tar.into_inner().unwrap()).unwrap_err();
    assert_eq!(
        told,
        "the header at byte 0 describes the next one with 2097152 bytes, 1048576 at most are read"
    );
    for end in (0..good.len() - 512).step_by(64) {
        let told = listing(&good[..end]).unwrap_err();
        assert!(told.ends_with("it was not written or copied in full"), "{told}");
    }
    for at in 0..512 {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        assert!(listing(&bytes).is_err(), "{at}");
    }
}
