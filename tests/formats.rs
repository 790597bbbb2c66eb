//! The formats' documentation says what the table of formats says.

use loadc::job::layouts::{Carries, LAYOUTS, Layout};
use std::fs;
use std::path::Path;

fn row(layout: &Layout) -> String {
    let yes = |can: bool| if can { "yes" } else { "–" };
    let option =
        |option: Result<&str, &str>| option.map_or("–".to_owned(), |word| format!("`{word}`"));
    let priority =
        layout.priority.map_or("–".to_owned(), |(low, high)| format!("{low} to {high}"));
    let retry = match layout.retry {
        Ok((word, 0)) => format!("`{word}`"),
        Ok((word, _)) => format!("`{word}`, the first try counted"),
        Err(_) => "–".to_owned(),
    };
    format!(
        "| `{}` | {} | {} | {} | {priority} | {} | {retry} | {} |",
        layout.word,
        yes(layout.carries == Carries::Arguments),
        yes(layout.kwargs),
        yes(layout.delay.is_ok()),
        option(layout.timeout),
        layout.pickup.unwrap_or("–"),
    )
}

fn options(layout: &Layout) -> Option<String> {
    let forms = layout.options.iter().map(|word| {
        let needed = if word.required { " (needed)" } else { "" };
        format!("`{}`{needed}", word.form)
    });
    let forms = forms.collect::<Vec<_>>().join(", ");
    (!forms.is_empty()).then(|| format!("- `as {}`: {forms}", layout.word))
}

#[test]
fn the_table_of_formats_is_that_of_the_program() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/queues.md");
    let text = fs::read_to_string(path).unwrap();
    let table = LAYOUTS.iter().map(row).collect::<Vec<_>>().join("\n");
    assert!(text.contains(&table), "docs/queues.md should hold:\n{table}");
    let list = LAYOUTS.iter().filter_map(options).collect::<Vec<_>>().join("\n");
    assert!(text.contains(&list), "docs/queues.md should hold:\n{list}");
}
