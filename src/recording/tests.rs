use super::*;
use crate::exact::fraction;
use std::io::Write as _;

const S: u64 = 1_000_000_000;

fn points(list: &[(u64, i128, i128)]) -> Recording {
    let point = |(t_ns, numerator, denominator): &(u64, i128, i128)| RatePoint {
        t_ns: *t_ns,
        rate: fraction(*numerator, *denominator),
    };
    Recording::Rates(list.iter().map(point).collect())
}

fn instants(list: &[u64]) -> Recording {
    Recording::Moments(list.to_vec().into())
}

fn usual(text: &str) -> Result<Recording, RecordingError> {
    read(text.as_bytes(), &Columns::Usual)
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_rate_is_read_from_csv_and_json_compressed_or_not() {
    let expected = points(&[(0, 10, 1), (30 * S, 201, 2), (60 * S, 0, 1)]);
    let csv = "t_s,rate_per_s,more\n100,10,x\n130,100.5,\"y, z\"\n160,0,\n";
    let json =
        "{\"t\":100,\"rate\":10}\n\n{\"rate\":100.5,\"t\":\"130\"}\r\n{\"t\":1.6e2,\"rate\":0}";
    assert_eq!(usual(csv), Ok(expected.clone()));
    assert_eq!(usual(json), Ok(expected.clone()));
    assert_eq!(usual(&format!("\u{FEFF}{csv}")), Ok(expected.clone()));
    assert_eq!(read(&gzipped(csv), &Columns::Usual), Ok(expected));
}

#[test]
fn columns_and_units_are_chosen() {
    let time = |unit| Some(TimeColumn { name: "when".to_owned(), unit });
    let text = "when,what\n2026-11-21T13:40:00Z,5\n2026-11-21T13:40:01.25Z,6\n";
    let columns = Columns::Rate(time(None), Some("what".to_owned()));
    assert_eq!(read(text.as_bytes(), &columns), Ok(points(&[(0, 5, 1), (S / 4 * 5, 6, 1)])));
    let text = "when,rate\n1700000000000,5\n1700000000250.5,6\n";
    let columns = Columns::Rate(time(Some(TimeUnit::Milliseconds)), None);
    assert_eq!(read(text.as_bytes(), &columns), Ok(points(&[(0, 5, 1), (250_500_000, 6, 1)])));
}

#[test]
fn instants_are_put_in_order() {
    let expected = instants(&[0, 0, 500_000_000, 3 * S]);
    assert_eq!(usual("timestamp\n7\n4\n4.5\n4\n"), Ok(expected.clone()));
    let column = TimeColumn { name: "at".to_owned(), unit: None };
    let text = "at,rate\n2026-11-21 00:00:04,1\n2026-11-21 00:00:04,1\n2026-11-21 00:00:04.5,1\n2026-11-21 00:00:07,9\n";
    assert_eq!(read(text.as_bytes(), &Columns::Moments(column)), Ok(expected));
}

#[track_caller]
fn assert_wrong(text: &str, row: Option<u64>, part: &str) {
    let error = usual(text).unwrap_err();
    assert_eq!(error.row, row, "{error:?}");
    assert!(error.message.contains(part), "{error:?}");
}

#[test]
fn mistakes_name_their_row() {
    assert_wrong("", None, "empty");
    assert_wrong("a,b\n1,2\n", None, "usual name for a time");
    assert_wrong("t,rate\n1,2\n", None, "fewer than two");
    assert_wrong("t,rate\n1,2\n2,fast\n", Some(3), "`fast` is no rate");
    assert_wrong("t,rate\n1,2\nnoon,3\n", Some(3), "`noon` is no time");
    assert_wrong("t,rate\n1,2\n,3\n", Some(3), "has no time");
    assert_wrong("t,rate\n5,2\n6,2\n4,3\n", Some(4), "before");
    assert_wrong("t,rate\n1,2\n2,-3\n", Some(3), "out of range");
    assert_wrong("t,rate\n1,2\n2\n", Some(3), "1 fields, and the header has 2");
    assert_wrong("t,rate\n1,2\n1700000000000,3\n", Some(3), "100 years");
    assert_wrong("{\"t\":1,\"rate\":2}\n[1,2]\n", Some(2), "no object");
    assert_wrong("{\"t\":1,\"rate\":2}\n{\"t\":\n", Some(2), "no JSON");
    assert_wrong("t\n", None, "no rows");
    let broken = &gzipped("t,rate\n1,2\n2,3\n")[..20];
    let error = read(broken, &Columns::Usual).unwrap_err();
    assert!(error.message.contains("uncompressed"), "{error:?}");
    let column = TimeColumn { name: "tiem".to_owned(), unit: None };
    let error = read(b"time,x\n1,2\n", &Columns::Moments(column)).unwrap_err();
    assert_eq!(error.help, "did you mean `time`?");
}

#[test]
fn numbers_are_exact_where_they_can_be() {
    assert_eq!(value::number("0.1"), Some(fraction(1, 10)));
    assert_eq!(value::number("-12.50"), Some(fraction(-25, 2)));
    assert_eq!(value::number("1e3"), Some(fraction(1000, 1)));
    for text in ["", ".", "1.2.3", "nan", "inf", "0x10", "1e400", "١", "--1"] {
        assert_eq!(value::number(text), None, "{text}");
    }
}
