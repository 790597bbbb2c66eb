//! What the fuzz targets hold to, over their corpus and every script of the repository.

use std::fs;
use std::path::Path;

#[path = "../fuzz/properties.rs"]
mod properties;

#[test]
fn the_corpus_holds_to_every_property() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for folder in ["fuzz/corpus", "tests/scripts/ok", "tests/scripts/parse_error", "examples"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if !path.is_file() {
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            for property in
                [properties::parse, properties::check, properties::fmt, properties::plan]
            {
                property(&bytes);
            }
            count += 1;
        }
    }
    assert!(count > 60, "only {count} inputs");
}

/// Each file of a folder of seeds, whole and with bytes changed, cut and doubled.
fn seeds(folder: &str, property: fn(&[u8])) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for entry in fs::read_dir(root.join("fuzz").join(folder)).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        property(&bytes);
        for place in 0..bytes.len() {
            property(&bytes[..place]);
            property(&[&bytes[..place], &bytes[place / 2..]].concat());
            for byte in [0, b'9', b'\n', b'-', bytes[place] ^ 1] {
                let mut changed = bytes.clone();
                changed[place] = byte;
                property(&changed);
            }
        }
        count += 1;
    }
    assert!(count >= 4, "only {count} seeds in {folder}");
}

#[test]
fn what_servers_may_answer_holds_to_its_property() {
    seeds("replies", properties::reply);
}

#[test]
fn what_journals_may_hold_holds_to_its_property() {
    seeds("journals", properties::journal);
}
