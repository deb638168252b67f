//! Writes pickles, and the two containers of checkpoints around them.

/// The opcodes of a pickle, one after the other. Each method adds what Python's `pickle` would.
#[derive(Clone)]
pub(crate) struct Pickle(pub(crate) Vec<u8>);

impl Pickle {
    pub(crate) fn new() -> Pickle {
        Pickle(vec![0x80, 2])
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Pickle {
        self.0.extend(bytes);
        self
    }

    pub(crate) fn mark(self) -> Pickle {
        self.raw(b"(")
    }

    pub(crate) fn tuple(self) -> Pickle {
        self.raw(b"t")
    }

    pub(crate) fn reduce(self) -> Pickle {
        self.raw(b"R")
    }

    pub(crate) fn text(self, text: &str) -> Pickle {
        let length = u32::try_from(text.len()).unwrap();
        self.raw(b"X").raw(&length.to_le_bytes()).raw(text.as_bytes())
    }

    pub(crate) fn global(self, module: &str, name: &str) -> Pickle {
        self.raw(format!("c{module}\n{name}\n").as_bytes())
    }

    /// LONG1 of eight bytes.
    pub(crate) fn int(self, number: i64) -> Pickle {
        self.raw(&[0x8a, 8]).raw(&number.to_le_bytes())
    }

    pub(crate) fn ints(self, numbers: &[i64]) -> Pickle {
        numbers.iter().fold(self.mark(), |pickle, number| pickle.int(*number)).tuple()
    }

    /// A persistent id: `count` numbers that the container calls `key`.
    pub(crate) fn storage(self, class: &str, key: &str, count: i64) -> Pickle {
        let tuple = self.mark().text("storage").global("torch", class).text(key).text("cpu").int(count);
        tuple.raw(b"NtQ")
    }

    /// A tensor in a storage of floats.
    pub(crate) fn view(self, key: &str, count: i64, offset: i64, shape: &[i64], strides: &[i64]) -> Pickle {
        self.tensor(|pickle| pickle.storage("FloatStorage", key, count), offset, shape, strides)
    }

    pub(crate) fn tensor(
        self,
        storage: impl FnOnce(Pickle) -> Pickle,
        offset: i64,
        shape: &[i64],
        strides: &[i64],
    ) -> Pickle {
        let call = storage(self.global("torch._utils", "_rebuild_tensor_v2").mark());
        let call = call.int(offset).ints(shape).ints(strides).raw(&[0x89]);
        call.global("collections", "OrderedDict").raw(b")Rt").reduce()
    }

    /// The tensor that both containers below have room for: six floats as (2, 3).
    pub(crate) fn plain(self) -> Pickle {
        self.view("0", 6, 0, &[2, 3], &[3, 1])
    }

    pub(crate) fn stop(self) -> Vec<u8> {
        self.raw(b".").0
    }
}

/// A dictionary of what `fill` puts into it.
pub(crate) fn dictionary(fill: impl FnOnce(Pickle) -> Pickle) -> Vec<u8> {
    fill(Pickle::new().raw(b"}(")).raw(b"u").stop()
}

/// A checkpoint as a zip archive, with its storages by key.
pub(crate) fn zipped(pickle: &[u8], storages: &[(&str, &[u8])]) -> Vec<u8> {
    let mut entries = vec![("m/data.pkl".to_owned(), pickle), ("m/byteorder".to_owned(), b"little")];
    entries.extend(storages.iter().map(|(key, bytes)| (format!("m/data/{key}"), *bytes)));
    archive(&entries)
}

/// A zip archive of stored entries, without checksums, as PyTorch may write it.
pub(crate) fn archive(entries: &[(String, &[u8])]) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in entries {
        let (size, length) = (number(bytes.len()), number(name.len()));
        let common = [&[0; 12][..], &size, &size, &length[..2], &[0; 2]].concat();
        let offset = number(file.len());
        directory.extend([b"PK\x01\x02\0\0\0\0", &common[..], &[0; 10], &offset, name.as_bytes()].concat());
        file.extend([b"PK\x03\x04\0\0", &common[..], name.as_bytes(), bytes].concat());
    }
    let (count, size, start) = (number(entries.len()), number(directory.len()), number(file.len()));
    let end = [b"PK\x05\x06\0\0\0\0", &count[..2], &count[..2], &size, &start, &[0; 2]].concat();
    [file, directory, end].concat()
}

/// A checkpoint from before PyTorch 1.6, with its storages by key and count.
pub(crate) fn legacy(pickle: &[u8], storages: &[(&str, u64, &[u8])]) -> Vec<u8> {
    let magic = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
    let system = dictionary(|p| p.text("protocol_version").int(1001).text("little_endian").raw(&[0x88]));
    let keys = storages.iter().fold(Pickle::new().raw(b"]("), |pickle, (key, ..)| pickle.text(key));
    let mut file = [magic, &b"\x80\x02M\xe9\x03."[..], &system, pickle, &keys.raw(b"e").stop()].concat();
    for (_, count, bytes) in storages {
        file.extend(count.to_le_bytes());
        file.extend(*bytes);
    }
    file
}
