use super::*;
use crate::run::events::{Event, StreamState};
use crate::run::guards::GuardState;
use crate::stats::Counts;
use crate::stats::sketch::Quantiles;
use crate::view::samples::plan;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

const SCRIPT: &str = "# day.load\nramp 0->500 over 1m\nrepeat 3 {\n  constant 500 for 1m\n  pause 30s\n}\nsine base 200 amp 100 period 1m for 10m\n";

/// A run in its second minute, with a guard that is near.
fn picture(color: bool) -> Picture {
    let ink = Ink { color };
    let mut picture = Picture::new(plan(SCRIPT), SCRIPT, "redis://127.0.0.1:6379".to_owned(), ink);
    let slices = (0..90_u64).map(|second| Slice {
        end_ns: (second + 1) * 1_000_000_000,
        length_ns: 1_000_000_000,
        target_per_s: (second as f64 * 500.0 / 60.0).min(500.0),
        due: (second * 500 / 60).min(500),
        sent: (second * 500 / 60).min(490),
        failed: u64::from(second == 70) * 12,
        depths: vec![Some(second * 10)],
        response: Some(Quantiles {
            p50: 700,
            p90: 1_500,
            p99: 4_000 + second as u32 * 100,
            max: 20_000,
        }),
        cpu: 0.04,
        ..Slice::default()
    });
    let jobs = Counts {
        planned: 225_000,
        due: 30_000,
        sent: 29_900,
        acked: 29_880,
        failed: 12,
        ..Counts::default()
    };
    let guard = |text: &str, value, limit| GuardState {
        guard: text.to_owned(),
        value,
        limit,
        ..GuardState::default()
    };
    let now = Snapshot {
        elapsed_s: 90.0,
        remaining_s: 840.0,
        target_per_s: 500.0,
        achieved_per_s: 489.5,
        jobs,
        overdue: 100,
        depth: Some(890),
        p99_response_us: Some(12_900.0),
        cpu: 0.04,
        rss_bytes: Some(11_200_000),
        streams: vec![StreamState { place_s: 90.0, jobs, ..StreamState::default() }],
        guards: vec![guard("rate <= 1000/s", 489.0, 1_000.0), guard("depth <= 1k", 890.0, 1_000.0)],
        ..Snapshot::default()
    };
    picture.update(now, slices.collect());
    let warning = Event::Warning { message: "something odd\u{1b}[2J".to_owned() };
    picture.tell(&Record { at: 0, t_s: 71.0, event: warning });
    picture
}

fn drawn(picture: &Picture, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| picture.draw(frame)).unwrap();
    terminal
}

#[test]
fn at_eighty_by_twenty_four_everything_that_matters_is_there() {
    insta::assert_snapshot!(drawn(&picture(true), 80, 24).backend());
}

#[test]
fn at_two_hundred_by_fifty_all_charts_stand_side_by_side() {
    insta::assert_snapshot!(drawn(&picture(true), 200, 50).backend());
}

#[test]
fn any_size_can_be_drawn() {
    let mut picture = picture(true);
    for (width, height) in
        [(1, 1), (39, 40), (40, 12), (41, 13), (60, 17), (120, 36), (500, 9), (300, 200)]
    {
        for chart in Kind::ALL {
            picture.chart = chart;
            picture.help = chart == Kind::Own;
            drawn(&picture, width, height);
        }
    }
    let empty = Picture::new(plan("send 5 at once"), "", String::new(), Ink { color: true });
    drawn(&empty, 80, 24);
}

#[test]
fn only_the_sixteen_colours_are_used_or_none() {
    for color in [true, false] {
        let terminal = drawn(&picture(color), 200, 50);
        for cell in terminal.backend().buffer().content() {
            for found in [cell.fg, cell.bg] {
                let known = !matches!(found, Color::Rgb(..) | Color::Indexed(_));
                assert!(known && (color || found == Color::Reset), "{found:?}");
            }
        }
    }
}

#[test]
fn nothing_that_came_from_outside_commands_the_terminal() {
    let terminal = drawn(&picture(true), 200, 50);
    assert!(
        terminal.backend().buffer().content().iter().all(|cell| !cell.symbol().contains('\u{1b}'))
    );
}

#[test]
fn the_present_phrase_is_marked_the_innermost_where_it_is_known() {
    let mut picture = picture(true);
    for (place_s, lines) in
        [(30.0, vec![2]), (90.0, vec![4]), (130.0, vec![5]), (200.0, vec![3]), (400.0, vec![7])]
    {
        picture.now.streams[0].place_s = place_s;
        assert_eq!(picture.present_lines(), lines, "at {place_s}");
    }
}

#[test]
fn keys_change_the_picture_or_ask_something_of_the_run() {
    let mut picture = picture(true);
    assert_eq!(picture.key(Key::Char('3')), None);
    assert_eq!(picture.chart, Kind::Depth);
    picture.key(Key::Tab);
    assert_eq!(picture.chart, Kind::Errors);
    assert_eq!(picture.key(Key::Char('p')), Some(Wish::Pause));
    assert_eq!(picture.key(Key::Char('>')), Some(Wish::Scale(1.25)));
    let scaled = Event::Scaled { factor: 2.5, planned: 7 };
    picture.tell(&Record { at: 0, t_s: 1.0, event: scaled });
    assert_eq!(picture.key(Key::Char('<')), Some(Wish::Scale(2.0)));
    // To stop takes the same key twice.
    assert_eq!((picture.key(Key::Char('s')), picture.key(Key::Char('x'))), (None, None));
    assert_eq!(
        (picture.key(Key::Char('s')), picture.key(Key::Char('s'))),
        (None, Some(Wish::Stop))
    );
    assert_eq!(picture.key(Key::Char('s')), None);
    for _ in 0..9 {
        picture.key(Key::Char('-'));
    }
    assert_eq!((picture.needs_from_ns(), picture.span().2), (0, 930.0));
    picture.key(Key::Char('?'));
    assert!(picture.help);
    assert_eq!(picture.key(Key::Char('p')), None);
    assert!(!picture.help);
}
