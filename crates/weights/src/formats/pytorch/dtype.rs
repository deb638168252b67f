//! How PyTorch calls numbers.

use crate::numbers::Number;

/// What the numbers of a storage are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dtype {
    Float(Number),
    /// A name as safetensors spells it, and bytes of one.
    Other(&'static str, usize),
}

/// Dtypes, with what PyTorch calls them and storages of them.
const DTYPES: [(&str, &str, Dtype); 19] = [
    ("float32", "FloatStorage", Dtype::Float(Number::F32)),
    ("float64", "DoubleStorage", Dtype::Float(Number::F64)),
    ("float16", "HalfStorage", Dtype::Float(Number::F16)),
    ("bfloat16", "BFloat16Storage", Dtype::Float(Number::BF16)),
    ("int64", "LongStorage", Dtype::Other("I64", 8)),
    ("int32", "IntStorage", Dtype::Other("I32", 4)),
    ("int16", "ShortStorage", Dtype::Other("I16", 2)),
    ("int8", "CharStorage", Dtype::Other("I8", 1)),
    ("uint8", "ByteStorage", Dtype::Other("U8", 1)),
    ("uint8", "UntypedStorage", Dtype::Other("U8", 1)),
    ("bool", "BoolStorage", Dtype::Other("BOOL", 1)),
    ("complex64", "ComplexFloatStorage", Dtype::Other("C64", 8)),
    ("complex128", "ComplexDoubleStorage", Dtype::Other("C128", 16)),
    ("qint8", "QInt8Storage", QUANTISED),
    ("quint8", "QUInt8Storage", QUANTISED),
    ("qint32", "QInt32Storage", Dtype::Other("quantised numbers", 4)),
    // These have no storage of their own.
    ("uint16", "", Dtype::Other("U16", 2)),
    ("uint32", "", Dtype::Other("U32", 4)),
    ("uint64", "", Dtype::Other("U64", 8)),
];
const QUANTISED: Dtype = Dtype::Other("quantised numbers", 1);

impl Dtype {
    /// Bytes of one number.
    pub(super) fn size(self) -> usize {
        match self {
            Dtype::Float(number) => number.size(),
            Dtype::Other(_, size) => size,
        }
    }

    /// The dtype of `torch.NAME`.
    pub(super) fn named(name: &str) -> Option<Dtype> {
        // Eight bits, in half a dozen ways.
        let narrow = name.starts_with("float8_").then_some(Dtype::Other("F8", 1));
        DTYPES.iter().find(|(dtype, ..)| *dtype == name).map(|(.., dtype)| *dtype).or(narrow)
    }

    /// The dtype of a storage of this class.
    pub(super) fn of_storage(module: &str, class: &str) -> Option<Dtype> {
        let ours = matches!(module, "torch" | "torch.storage" | "torch.cuda") && !class.is_empty();
        let found = || DTYPES.iter().find(|(_, storage, _)| *storage == class);
        ours.then(found).flatten().map(|(.., dtype)| *dtype)
    }
}
