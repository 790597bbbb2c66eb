//! SVG elements as text.

use crate::show;
use std::fmt::Write as _;

const STYLE: &str = include_str!("style.css");
/// Height of the usual letters.
const FONT_SIZE: f64 = 12.0;
/// A generous width of a letter, by its height: the font is the reader's.
const LETTER: f64 = 0.6;

/// About how wide a text is.
pub(super) fn text_width(text: &str) -> f64 {
    show::width(text) as f64 * FONT_SIZE * LETTER
}

/// A text cut to about a width; none if nothing of it can be read there.
pub(super) fn fit(text: &str, width: f64) -> Option<String> {
    let columns = (width / (FONT_SIZE * LETTER)) as usize;
    let text = show::clean(text);
    if show::width(&text) <= columns {
        return Some(text);
    }
    (columns >= 5).then(|| show::cut(&text, columns))
}

/// A coordinate to a hundredth.
pub(super) fn number(value: f64) -> String {
    show::decimal(value, 2)
}

/// A text as XML.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in show::clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// A drawing in the making.
#[derive(Default)]
pub(super) struct Canvas {
    body: String,
}

impl Canvas {
    /// A text whose baseline begins (or ends, by its class) at a point.
    pub(super) fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        let (x, y, text) = (number(x), number(y), escape(text));
        let _ = writeln!(self.body, r#"<text x="{x}" y="{y}" class="{class}">{text}</text>"#);
    }

    /// A straight line.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let (x1, y1, x2, y2) = (number(from.0), number(from.1), number(to.0), number(to.1));
        let _ = writeln!(
            self.body,
            r#"<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" class="{class}"/>"#
        );
    }

    /// A rectangle, with a text that shows when pointed at.
    pub(super) fn rectangle(&mut self, at: (f64, f64), size: (f64, f64), class: &str, hint: &str) {
        let (x, y, width, height) = (number(at.0), number(at.1), number(size.0), number(size.1));
        let _ = write!(
            self.body,
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="2" class="{class}""#
        );
        if hint.is_empty() {
            self.body.push_str("/>\n");
        } else {
            let _ = writeln!(self.body, "><title>{}</title></rect>", escape(hint));
        }
    }

    /// A filled shape.
    pub(super) fn polygon(&mut self, points: &[(f64, f64)], class: &str) {
        let points: Vec<String> =
            points.iter().map(|(x, y)| format!("{},{}", number(*x), number(*y))).collect();
        let _ = writeln!(self.body, r#"<polygon points="{}" class="{class}"/>"#, points.join(" "));
    }

    /// A path.
    pub(super) fn path(&mut self, data: &str, class: &str) {
        let _ = writeln!(self.body, r#"<path d="{data}" class="{class}"/>"#);
    }

    /// The file.
    pub(super) fn finish(self, width: f64, height: f64, title: &str, description: &str) -> String {
        let (width, height) = (number(width), number(height));
        let (title, description) = (escape(title), escape(description));
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-labelledby="loadc-title loadc-desc">
<title id="loadc-title">{title}</title>
<desc id="loadc-desc">{description}</desc>
<style>
{STYLE}</style>
<rect width="{width}" height="{height}" class="page"/>
{body}</svg>
"#,
            body = self.body
        )
    }
}
