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
