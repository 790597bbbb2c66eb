//! dev
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
    let source = loadc::source::SourceFile::new(path, text);
    let t = std::time::Instant::now();
    let (script, problems) = loadc::parse::parse(&source);
    eprintln!("{:?}", t.elapsed());
    println!(
        "{}",
        loadc::diag::human(&source, &problems, loadc::diag::Style { color: false, width: 100 })
    );
    if std::env::args().nth(2).is_some() {
        println!("{:#?}", script);
    }
    println!("{} statements, {} problems", script.statements.len(), problems.len());
}
