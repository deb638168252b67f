#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::onnx_import(bytes));
