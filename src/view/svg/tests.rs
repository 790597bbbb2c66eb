use super::*;
use crate::view::samples::plan;
use roxmltree::{Document, Node};

fn svg_of(script: &str) -> String {
    let plan = plan(script);
    let drawing = svg(&plan, &Load::of(&plan));
    assert!(!drawing.contains("NaN") && !drawing.contains("inf"), "{drawing}");
    drawing
}

fn by_class<'a>(document: &'a Document<'_>, class: &str) -> Vec<Node<'a, 'a>> {
    document.descendants().filter(|node| node.attribute("class") == Some(class)).collect()
}

/// The points of a path of straight lines.
fn points(path: Node<'_, '_>) -> Vec<(f64, f64)> {
    let data = path.attribute("d").unwrap();
    let point = |text: &str| {
        let (x, y) = text.trim_end_matches('Z').split_once(' ').unwrap();
        (x.parse().unwrap(), y.parse().unwrap())
    };
    data.split(['M', 'L']).filter(|part| !part.is_empty()).map(point).collect()
}

#[test]
fn every_plan_gives_well_formed_xml_with_a_title_and_a_description() {
    let fifty = "constant 5 for 1m; ramp 5->9 over 1m;".repeat(25);
    let streams: String =
        (0..12).map(|i| format!("load s{i} {{ after {i}s; constant {i} for 1m }};")).collect();
    let scripts = [
        "constant 100 for 5m",
        "pause 10m",
        "send 50k at once",
        "ramp 0->0 over 1s",
        "repeat 365 { constant 5 for 23h; send 50k at once; burst 200 for 1m every 2m over 1h }",
        "constant 1 for 1h; constant 100M for 1ms",
        "constant 5 for 1m as \"<&> \u{1b} 'x' ]]>\"",
        &fifty,
        &streams,
    ];
    for script in scripts {
        let drawing = svg_of(script);
        let document = Document::parse(&drawing).unwrap();
        let root = document.root_element();
        assert_eq!(root.attribute("role"), Some("img"));
        let names: Vec<_> = root.children().filter(Node::is_element).take(2).collect();
        assert_eq!(names[0].tag_name().name(), "title");
        assert_eq!(names[1].tag_name().name(), "desc");
        assert!(names[1].text().is_some_and(|text| text.len() > 10), "{script}");
        assert!(!drawing.contains("<script") && !drawing.contains("href"));
    }
}

#[test]
fn the_curve_is_exact_where_the_rate_jumps() {
    let drawing = svg_of("constant 50 for 10s; constant 100 for 10s");
    let document = Document::parse(&drawing).unwrap();
    let line = points(by_class(&document, "curve")[0]);
    assert_eq!(line.len(), 4, "{line:?}");
    let middle = (line[0].0 + line[3].0) / 2.0;
    assert!((line[1].0 - middle).abs() < 0.02 && line[1].0 == line[2].0, "{line:?}");
    assert_eq!(line[1].1 - line[2].1, PLOT / 2.0);
}

#[test]
fn what_turns_too_often_is_a_band_with_its_mean() {
    let drawing = svg_of("constant 50 for 1h; burst 100 for 1s every 2s over 1h");
    let document = Document::parse(&drawing).unwrap();
    let band = points(by_class(&document, "spread")[0]);
    let line = points(by_class(&document, "curve")[1]);
    let (top, bottom) = (band[0].1, band[band.len() - 1].1);
    assert_eq!(bottom - top, PLOT);
    let middle = line[line.len() / 2].1;
    assert!((middle - (top + bottom) / 2.0).abs() < 2.0, "{line:?}");
    assert!(drawing.contains("line within: the mean"));
}

#[test]
fn texts_stay_on_the_page() {
    let long = format!("constant 5 for 1m as \"{}\"", "a very long name ".repeat(20));
    let nine = "send 123456789 at once; constant 1 for 1h; ".repeat(9);
    for script in [&long, &nine, "constant 1M for 1000d; constant 5 for 3ms"] {
        let drawing = svg_of(script);
        let document = Document::parse(&drawing).unwrap();
        for text in document.descendants().filter(|node| node.has_tag_name("text")) {
            let x: f64 = text.attribute("x").unwrap().parse().unwrap();
            let width = canvas::text_width(text.text().unwrap_or(""));
            let class = text.attribute("class").unwrap_or("");
            let (left, right) = match class {
                _ if class.contains("end") => (x - width, x),
                _ if class.contains("middle") => (x - width / 2.0, x + width / 2.0),
                _ => (x, x + width),
            };
            assert!(left >= 0.0 && right <= WIDTH, "{left}..{right}: {text:?}");
        }
    }
}

#[test]
fn a_few_streams_have_a_line_and_a_colour_each() {
    let drawing = svg_of("load a { constant 5 for 1m }; load b { after 30s; constant 7 for 1m }");
    let document = Document::parse(&drawing).unwrap();
    let own = points(by_class(&document, "part s1")[0]);
    let sum = points(by_class(&document, "curve")[0]);
    assert_eq!((own.len(), sum.len()), (2, 6));
    assert!(own[0].0 > sum[0].0 && own[0].1 == own[1].1);
    assert_eq!((by_class(&document, "f0").len(), by_class(&document, "f1").len()), (1, 1));
}

#[test]
fn jobs_sent_at_once_have_an_arrow_each() {
    let drawing = svg_of("constant 5 for 1m; send 900 at once; constant 5 for 1m");
    let document = Document::parse(&drawing).unwrap();
    assert_eq!(by_class(&document, "arrow").len(), 1);
    assert_eq!(by_class(&document, "count middle number")[0].text(), Some("900"));
}
