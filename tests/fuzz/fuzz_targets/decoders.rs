//! Every decoder, or the one that `CADRE_FUZZ_TARGET` names.
#![no_main]

use cadre_tests::fuzz::TARGETS;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let wanted = std::env::var("CADRE_FUZZ_TARGET");
    for target in &TARGETS {
        if wanted.as_ref().is_ok_and(|name| name != target.name) {
            continue;
        }
        target.try_on(data);
    }
});
