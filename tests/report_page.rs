//! The page of a run: made by the run, made again from its JSON, and tried in a real browser.

use crate::cli_run::{loadc, stderr};
use crate::redis_server::RedisServer;
use crate::seeing::run;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SCRIPT: &str = "job a { queue \"orders\" }; constant 300 for 2s as \"steady\"; guard { depth <= 100k }; expect { jobs = 600; errors < 1% }";

/// A run with its page, JUnit XML and JSON in a folder.
fn made() -> (tempfile::TempDir, PathBuf) {
    let server = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("out.html");
    let xml = folder.path().join("out.xml");
    let flags = ["--json", "--report", page.to_str().unwrap(), "--junit", xml.to_str().unwrap()];
    let (output, report) = run(SCRIPT, &server.url(), &flags);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        report["history"]["sent"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n.as_u64().unwrap())
            .sum::<u64>(),
        600
    );
    assert_eq!(report["script"]["text"], SCRIPT);
    std::fs::write(folder.path().join("run.json"), &output.stdout).unwrap();
    (folder, page)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_page_of_a_run_can_be_made_again_from_its_json() {
    let (folder, page) = made();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let args = ["report", &path("run.json"), "--junit", &path("again.xml")];
    let output = loadc().args(args).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(read(&folder.path().join("run.html")), read(&page));
    let xml = read(&folder.path().join("out.xml"));
    assert_eq!(read(&folder.path().join("again.xml")), xml);
    assert!(xml.contains("tests=\"4\" failures=\"0\" errors=\"0\""), "{xml}");
    let output = loadc().args(["compare", &path("run.json"), &path("run.json")]).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("jobs acknowledged    600"), "{table}");
    let args = ["compare", "--json", &path("run.json"), &path("run.json")];
    let output = loadc().args(args).output().unwrap();
    let comparison: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(comparison["same_plan"], true);
}

#[test]
fn what_is_no_run_or_has_no_place_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    std::fs::write(&path, "{}").unwrap();
    let path = path.to_str().unwrap();
    for (args, words) in [
        (vec!["report", path], "it is no report of a run"),
        (vec!["report", "/nowhere.json"], "No such file"),
        (vec!["compare", path, path], "it is no report of a run"),
        (vec!["compare", path], "2 values required"),
        (vec!["run", "x.load", "--report", "/nowhere/x.html"], "x.load"),
    ] {
        let output = loadc().args(&args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(words), "{args:?}: {}", stderr(&output));
    }
    let server = RedisServer::start();
    let (output, _) = run(SCRIPT, &server.url(), &["--report", "/nowhere/x.html"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no such folder"), "{}", stderr(&output));
}

/// A report that cannot be written in the end is said, and no success; the run itself was one.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_for_the_report_is_said_and_no_success() {
    let server = RedisServer::start();
    let (output, report) = run(SCRIPT, &server.url(), &["--json", "--report", "/dev/full"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert_eq!((&report["outcome"], &report["jobs"]["acked"]), (&"done".into(), &600.into()));
    assert!(
        stderr(&output).contains("cannot write /dev/full: No space left"),
        "{}",
        stderr(&output)
    );
}

/// A run that could not begin leaves its page and its XML, too: CI shows what it finds.
#[test]
fn a_target_that_is_not_there_is_an_error_in_the_xml() {
    let folder = tempfile::tempdir().unwrap();
    let xml = folder.path().join("out.xml");
    let flags = ["--junit", xml.to_str().unwrap()];
    let closed = RedisServer::start().url();
    let (output, _) = run(SCRIPT, &closed, &flags);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(read(&xml).contains("errors=\"1\""), "{}", read(&xml));
}

/// What the page is asked to do once it is there; what comes of it is put where `--dump-dom` shows it.
const TRY: &str = r##"<script>
SVGElement.prototype.setPointerCapture = () => {};
const frame = document.querySelector(".frame"), box = frame.getBoundingClientRect(), facts = document.body.dataset;
const send = (kind, share) => frame.dispatchEvent(new PointerEvent(kind,
  { clientX: box.left + box.width * share, clientY: box.top + 40, button: 0, pointerId: 1, bubbles: true }));
send("pointermove", 0.5);
facts.tip = document.getElementById("tip").innerText.replace(/\s+/g, " ");
send("pointerdown", 0.3); send("pointermove", 0.6); send("pointerup", 0.6);
facts.zoomed = [...document.querySelectorAll(".plot")].map((plot) => plot.getAttribute("viewBox").split(" ")[0] > 10000).join();
document.getElementById("whole").click();
facts.whole = document.querySelector(".plot").getAttribute("viewBox");
const before = getComputedStyle(document.body).backgroundColor;
document.getElementById("theme").click();
facts.turned = getComputedStyle(document.body).backgroundColor !== before;
facts.wide = document.documentElement.scrollWidth > innerWidth;
</script>"##;

fn chromium() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        let mut ask = Command::new(name);
        let asked = ask.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        asked.status().is_ok_and(|status| status.success())
    })
}

/// The page as a browser has it after its scripts have run.
fn dumped(browser: &str, page: &Path, folder: &Path) -> String {
    let out = std::fs::File::create(folder.join("dom.html")).unwrap();
    let mut child = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(["--window-size=1100,900", "--dump-dom"])
        .arg(format!("file://{}", page.display()))
        .stdout(out)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // A browser that hangs is ended by its id.
    let until = Instant::now() + Duration::from_secs(120);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > until {
            child.kill().unwrap();
            panic!("the browser did not end");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    read(&folder.join("dom.html"))
}

#[test]
fn the_page_works_in_a_real_browser() {
    let Some(browser) = chromium() else {
        eprintln!("SKIPPED: no browser (Debian's package chromium) to try the page in");
        return;
    };
    let (folder, page) = made();
    let watched = "<script>window.onerror = (m) => { document.documentElement.dataset.error = m; };</script>\n<style>";
    let html =
        read(&page).replacen("<style>", watched, 1).replace("</body>", &format!("{TRY}</body>"));
    let tried = folder.path().join("tried.html");
    std::fs::write(&tried, html).unwrap();
    let dom = dumped(browser, &tried, folder.path());
    let fact = |name: &str| {
        let (_, rest) = dom.split_once(&format!("data-{name}=\"")).unwrap_or(("", "nothing\""));
        rest.split('"').next().unwrap().to_owned()
    };
    assert_eq!(fact("error"), "nothing");
    let tip = fact("tip");
    assert!(tip.contains("target 300/s") && tip.contains("sent"), "{tip}");
    assert_eq!(fact("zoomed"), "true,true,true,true,true");
    assert_eq!(fact("whole"), "0 0 100000 1000");
    assert_eq!((fact("turned").as_str(), fact("wide").as_str()), ("true", "false"));
}
