//! Bodies of any make are JSON of the right types.

use super::*;
use proptest::prelude::*;

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![".{0,12}", "[\"\\\\\u{0}-\u{1f}é🦀]{0,6}"]
}

fn ranges<T: PartialOrd + Copy + std::fmt::Debug>(
    ends: impl Strategy<Value = (T, T)>,
) -> impl Strategy<Value = (T, T)> {
    ends.prop_map(|(one, other)| if one <= other { (one, other) } else { (other, one) })
}

fn leaves() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(|number| Value::Number(number.to_string())),
        texts().prop_map(|literal| text(&literal)),
        Just(Value::Uuid),
        Just(Value::Ulid),
        Just(Value::Seq),
        Just(Value::Now),
        ranges(any::<(i64, i64)>()).prop_map(|(min, max)| Value::Int { min, max }),
        ranges((-1e15..1e15_f64, -1e15..1e15_f64)).prop_map(|(min, max)| Value::Float { min, max }),
        (0.0..=1.0_f64).prop_map(Value::Chance),
        ranges((0..40_u64, 0..40_u64)).prop_map(|(min, max)| Value::RandomText { min, max }),
        ranges((0..40_u64, 0..40_u64)).prop_map(|(min, max)| Value::Hex { min, max }),
        ranges((0..40_u64, 0..40_u64)).prop_map(|(min, max)| Value::Bytes { min, max }),
        (-1e9..1e9_f64, 0.0..1e9_f64)
            .prop_map(|(mean, deviation)| Value::Normal { mean, deviation }),
        (1e-9..1e9_f64).prop_map(Value::Exponential),
        (1..1_000_000_u64, 0.0..3.0_f64)
            .prop_map(|(ranks, exponent)| Value::Zipf { ranks, exponent }),
        (0..Fake::WORDS.len()).prop_map(|at| Value::Fake(Fake::of(Fake::WORDS[at]).unwrap())),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    leaves().prop_recursive(5, 40, 4, |inner| {
        let weighted = (inner.clone(), 0.01..100.0_f64);
        let part = prop_oneof![
            texts().prop_map(TextPart::Literal),
            inner.clone().prop_map(TextPart::Value),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(texts(), inner.clone(), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            (ranges((0..4_u32, 0..4_u32)), inner.clone())
                .prop_map(|((min, max), item)| list(min, max, item)),
            prop::collection::vec(weighted, 1..4).prop_map(Value::Pick),
            prop::collection::vec(part, 0..4).prop_map(Value::Text),
        ]
    })
}

/// Whether `json` is what `value` may write for a job.
fn fits(value: &Value, json: &serde_json::Value, number: u64) -> bool {
    let string = json.as_str();
    match value {
        Value::Null => json.is_null(),
        Value::Bool(truth) => json.as_bool() == Some(*truth),
        Value::Number(digits) => json.as_i64() == digits.parse().ok(),
        Value::Text(parts) => string.is_some_and(|text| text_fits(parts, text, number)),
        Value::Array(items) => json.as_array().is_some_and(|array| {
            array.len() == items.len() && items.iter().zip(array).all(|(v, j)| fits(v, j, number))
        }),
        Value::Object(fields) => json.as_object().is_some_and(|object| {
            object.len() == fields.len()
                && fields.iter().all(|(name, value)| {
                    object.get(name).is_some_and(|json| fits(value, json, number))
                })
        }),
        Value::List { min, max, item } => json.as_array().is_some_and(|array| {
            (*min as usize..=*max as usize).contains(&array.len())
                && array.iter().all(|json| fits(item, json, number))
        }),
        Value::Uuid => string.is_some_and(|text| {
            uuid::Uuid::parse_str(text).is_ok_and(|uuid| {
                uuid.get_version_num() == 4
                    && uuid.get_variant() == uuid::Variant::RFC4122
                    && uuid.to_string() == text
            })
        }),
        Value::Seq => json.as_u64() == Some(number),
        Value::Int { min, max } => json.as_i64().is_some_and(|n| (*min..=*max).contains(&n)),
        Value::Float { min, max } => json.as_f64().is_some_and(|x| *min <= x && x <= *max),
        Value::Chance(_) => json.is_boolean(),
        Value::Pick(values) => values.iter().any(|(value, _)| fits(value, json, number)),
        Value::Now => string == Some(&super::body(&compiled(Value::Now), number).replace('"', "")),
        Value::RandomText { min, max } => string.is_some_and(|text| {
            (*min..=*max).contains(&(text.len() as u64))
                && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b' '))
        }),
        Value::Hex { min, max } => string.is_some_and(|text| {
            (*min..=*max).contains(&(text.len() as u64))
                && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        }),
        Value::Ulid => string.is_some_and(|text| {
            let time = super::body(&compiled(Value::Ulid), number)[1..11].to_owned();
            text.len() == 26 && text.starts_with(&time) && !text.contains(['I', 'L', 'O', 'U'])
        }),
        Value::Normal { mean, deviation } => {
            json.as_f64().is_some_and(|x| (x - mean).abs() <= deviation * 9.0)
        }
        Value::Exponential(mean) => json.as_f64().is_some_and(|x| 0.0 <= x && x <= mean * 40.0),
        Value::Zipf { ranks, .. } => json.as_u64().is_some_and(|n| (1..=*ranks).contains(&n)),
        Value::Bytes { min, max } => string.is_some_and(|text| {
            let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
            let size = (text.len() / 4 * 3 - padding) as u64;
            text.len().is_multiple_of(4) && (*min..=*max).contains(&size)
        }),
        Value::Fake(_) => string.is_some_and(|text| !text.is_empty()),
        Value::Cell { .. } | Value::Field(_) => false,
    }
}

/// What stands between values can't be told apart from them in general, so only the ends are
/// looked at, and a single value as a whole.
fn text_fits(parts: &[TextPart], text: &str, number: u64) -> bool {
    match parts {
        [] => text.is_empty(),
        [TextPart::Literal(literal), rest @ ..] => {
            text.strip_prefix(literal.as_str()).is_some_and(|text| text_fits(rest, text, number))
        }
        [rest @ .., TextPart::Literal(literal)] => {
            text.strip_suffix(literal.as_str()).is_some_and(|text| text_fits(rest, text, number))
        }
        [TextPart::Value(value)] => {
            fits(value, &serde_json::Value::from(text), number)
                || serde_json::from_str(text).is_ok_and(|json| fits(value, &json, number))
        }
        _ => true,
    }
}

proptest! {
    #[test]
    fn bodies_are_json_of_the_right_types(value in values(), number in 1..u64::MAX / 4_000_000) {
        let template = compiled(value.clone());
        let text = super::body(&template, number);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert!(fits(&value, &json, number), "{text}");
        prop_assert_eq!(super::body(&template, number), text);
        let sizes = template.sizes(number);
        let length = super::body(&template, number).len() as u64;
        prop_assert!(sizes.min_bytes <= length && length <= sizes.max_bytes, "{:?}", sizes);
    }

    #[test]
    fn entries_say_the_same_as_bodies(value in values(), number in 1..1_000_000_u64) {
        let template = compiled(object([("it", value)]));
        let json = json(&template, number)["it"].clone();
        let raw = fields(&template, number).remove(0).1;
        match json.as_str() {
            Some(text) => prop_assert_eq!(raw, text),
            None => prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&raw).unwrap(), json),
        }
    }

    #[test]
    fn references_to_anything_repeat_it(value in values(), number in 1..1_000_000_u64) {
        let template = compiled(object([
            ("copy", field("it")),
            ("texts", list(2, 2, interpolated("", [(field("it"), "")]))),
            ("it", value),
        ]));
        let job = json(&template, number);
        prop_assert_eq!(&job["copy"], &job["it"]);
        for text in job["texts"].as_array().unwrap() {
            match (&job["it"], text.as_str().unwrap()) {
                (serde_json::Value::String(it), text) => prop_assert_eq!(it, text),
                (it, text) => prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(text).unwrap(), it),
            }
        }
    }
}
