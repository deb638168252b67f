#![no_main]
// Other people's decoders may panic, which `decode` catches: without the fuzzer's hook, which would end it there.
libfuzzer_sys::fuzz_target!(
    init: drop(std::panic::take_hook()),
    |bytes: &[u8]| parsers::picture(bytes)
);
