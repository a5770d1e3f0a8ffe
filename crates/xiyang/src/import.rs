//! `xiyang import people FILE`: a list into the register, as the clerk's pages do it, without a browser.
//!
//! The import is a row like any other: it can be seen and stopped in the pages, and when this process dies a server or
//! the next run goes on with it. Progress goes to stderr; the last line of stdout is one JSON object:
//! `rows`, `accepted` (`added` and `changed`), `unchanged`, `rejected`, `warned`, `skipped`, `import` (its id, none in a
//! dry run) and `errors`, each with `row` (as numbered in the file, from 1), `column` (letters, such as `C`; empty when
//! it concerns the whole row or file), `header` (the title there), `code` and `message`; `warnings` look the same. A
//! file that is refused as a whole has one error with row 0.

use std::{
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use app::{
    outcome::No,
    parties::imports::{self, Choice, Counts, Fate, Import, ImportRefusal, Line, LineFault, State, Upload},
    regions,
    store::{Fault, Store},
};
use clap::{Args, Subcommand};
use domain::{
    access::{Actor, Role},
    ids::{AccountId, ImportId},
    refusal::Refusal as _,
    regions::{RegionCode, RegionRange},
};
use serde_json::{Value, json};

use crate::{
    PlaceArgs,
    complaint::{CHECK_FAILED, Complaint},
    open, outside,
};

/// How often the progress is looked at.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// 导入老年人名单（.xlsx、.xls、.csv）。有行未被接受时以 1 退出。Import a list of people; exit 1 when rows were rejected
    People(PeopleArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PeopleArgs {
    /// 名单文件。The list
    file: PathBuf,
    #[command(flatten)]
    place: PlaceArgs,
    /// 密钥目录，默认同 serve。Folder of the keys, as for serve
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// 只检查，不保存。Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// 把带错误说明的原表写到这里。Write the file with what is wrong in it here
    #[arg(long, value_name = "OUT")]
    errors: Option<PathBuf>,
    /// 标准输出只写 JSON。Nothing but JSON on stdout
    #[arg(long)]
    json: bool,
    /// 只接受这个区划的人；村（社区）代码同时用作缺省居住地。Accept people of this region only
    #[arg(long, value_name = "CODE")]
    region: Option<String>,
}

/// What came of it.
struct Outcome {
    import: Option<ImportId>,
    counts: Counts,
    lines: Vec<Line>,
    /// The file as a whole was refused, or not finished.
    whole: Option<(String, String)>,
}

pub(crate) fn run(command: ImportCommand) -> Result<ExitCode, Complaint> {
    outside::log("warn");
    let ImportCommand::People(args) = command;
    let bytes = std::fs::read(&args.file).map_err(|e| Complaint::file(&args.file, &e))?;
    let file_name = args.file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let upload = Upload { file_name, bytes };
    let opened = open::to_join(&args.place, args.keys.as_deref())?;
    let actor = actor(&opened.store, args.region.as_deref())?;
    let done = if args.dry_run {
        look(&opened.store, &actor, &upload)?
    } else {
        store(&opened.store, &actor, &upload)?
    };
    if let Some(out) = &args.errors {
        write_errors(out, &upload, &done.lines)?;
    }
    let clean = done.whole.is_none() && done.counts.rejected == 0;
    report(&done, args.json, args.dry_run).map_err(|e| Complaint::file(Path::new("stdout"), &e))?;
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::from(CHECK_FAILED) })
}

/// The machine itself, over the regions asked for.
fn actor(store: &Store, region: Option<&str>) -> Result<Actor, Complaint> {
    let range = match region {
        None => RegionRange::ALL,
        Some(text) => {
            let code = RegionCode::parse(text).ok();
            let known = store.read(move |tx| {
                let book = regions::book(tx)?;
                Ok::<_, Fault>(code.filter(|code| book.latest(*code).is_some()))
            })?;
            let unknown = || {
                Complaint::new(
                    format!("没有区划 {text}。请核对 --region，例如 410202 或 410202001"),
                    format!("no region {text}; check --region, such as 410202"),
                )
            };
            known.ok_or_else(unknown)?.range()
        }
    };
    Ok(Actor {
        account: AccountId(0),
        name: "命令行".to_owned(),
        role: Role::System,
        range,
        provider: None,
        carer: None,
    })
}

fn look(store: &Store, actor: &Actor, upload: &Upload) -> Result<Outcome, Complaint> {
    let progress = Progress::new("已比对");
    let looked = imports::look(store, actor, upload, outside::now(), &|done, all| progress.tell(done, all));
    progress.end();
    Ok(match looked {
        Ok(looked) => {
            let header = "没有认出表头，至少要有姓名和身份证号两列".to_owned();
            let whole = (!looked.header_found).then(|| ("header_unknown".to_owned(), header));
            Outcome { import: None, counts: looked.counts, lines: looked.lines, whole }
        }
        Err(no) => refused(no)?,
    })
}

/// A refusal is an answer; anything else is a complaint.
fn refused(no: No<ImportRefusal>) -> Result<Outcome, Complaint> {
    match no {
        No::Refused(refusal) => Ok(Outcome {
            import: None,
            counts: Counts::default(),
            lines: Vec::new(),
            whole: Some((refusal.code().to_owned(), refusal.to_string())),
        }),
        No::Fault(fault) => Err(fault.into()),
        No::Forbidden(_) | No::NotFound => Err(Fault::other("the program's own import is not there").into()),
    }
}

fn store(store: &Store, actor: &Actor, upload: &Upload) -> Result<Outcome, Complaint> {
    let id = match imports::accept_at_once(store, actor, upload, outside::now()) {
        Ok(id) => id,
        Err(no) => return refused(no),
    };
    let worker = imports::spawn_worker(store.clone(), Arc::new(outside::now));
    let import = follow(store, actor, id)?;
    drop(worker);
    let actor = actor.clone();
    let lines = match store.read(move |tx| imports::problems(tx, &actor, id)) {
        Ok(lines) => lines,
        Err(no) => return refused(no),
    };
    let whole = match import.state {
        State::Done => None,
        State::Cancelled => Some(("cancelled".to_owned(), "导入被停止，已保存的保留".to_owned())),
        _ => Some((import.code.clone(), import.message.clone())),
    };
    Ok(Outcome { import: Some(id), counts: import.counts, lines, whole })
}

/// Waits for the end. The worker may be this process or a server on the same data.
fn follow(store: &Store, actor: &Actor, id: ImportId) -> Result<Import, Complaint> {
    let progress = Progress::new("已保存");
    loop {
        let actor = actor.clone();
        let import = match store.read(move |tx| imports::find(tx, &actor, id)) {
            Ok(import) => import,
            Err(No::Fault(fault)) => return Err(fault.into()),
            Err(_) => return Err(Fault::other("the import is gone").into()),
        };
        let size = |n: i64| usize::try_from(n).unwrap_or(0);
        progress.tell(size(import.rows_done), size(import.rows_total));
        if !import.state.running() {
            progress.end();
            return Ok(import);
        }
        std::thread::sleep(LOOK);
    }
}

fn write_errors(out: &Path, upload: &Upload, lines: &[Line]) -> Result<(), Complaint> {
    let problems: Vec<Line> = lines.iter().filter(|line| line.problem()).cloned().collect();
    if problems.is_empty() {
        return Ok(());
    }
    match imports::annotated(upload, &Choice::default(), problems) {
        Ok(back) => std::fs::write(out, back.bytes).map_err(|e| Complaint::file(out, &e)),
        Err(No::Fault(fault)) => Err(fault.into()),
        // A file that cannot be read has no rows to write errors to; its refusal is told anyway.
        Err(_) => Ok(()),
    }
}

fn report(done: &Outcome, only_json: bool, dry: bool) -> std::io::Result<()> {
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    if let Some((code, message)) = &done.whole {
        errors.push(json!({ "row": 0, "column": "", "header": "", "code": code, "message": message }));
    }
    let faults = done.lines.iter().flat_map(|line| line.faults.iter().map(move |fault| (line, fault)));
    for (line, fault) in faults {
        let to = if fault.warning { &mut warnings } else { &mut errors };
        to.push(told(line.row, fault));
    }
    debug_assert!(done.lines.iter().filter(|l| l.fate == Fate::Rejected).all(Line::problem));
    let counts = done.counts;
    let mut out = std::io::stdout().lock();
    if !only_json {
        let verb = if dry { "可接受" } else { "已接受" };
        writeln!(
            out,
            "{verb} {} 行（新登记 {}，更新 {}），相同 {} 行，不能接受 {} 行，另有 {} 行不是人员",
            counts.accepted(),
            counts.added,
            counts.changed,
            counts.unchanged,
            counts.rejected,
            counts.skipped
        )?;
    }
    let object = json!({
        "rows": counts.rows(),
        "accepted": counts.accepted(),
        "added": counts.added,
        "changed": counts.changed,
        "unchanged": counts.unchanged,
        "rejected": counts.rejected,
        "warned": counts.warned,
        "skipped": counts.skipped,
        "dry_run": dry,
        "import": done.import,
        "errors": errors,
        "warnings": warnings,
    });
    writeln!(out, "{object}")
}

fn told(row: u32, fault: &LineFault) -> Value {
    let (letters, header) = fault.column.split_once('列').unwrap_or((&fault.column, ""));
    json!({ "row": row, "column": letters, "header": header.trim(), "code": fault.code, "message": fault.message })
}

/// One line that is written over, or on no terminal a line now and then.
struct Progress {
    verb: &'static str,
    terminal: bool,
    last: std::cell::Cell<usize>,
}

impl Progress {
    fn new(verb: &'static str) -> Progress {
        Progress { verb, terminal: std::io::stderr().is_terminal(), last: std::cell::Cell::new(0) }
    }

    fn tell(&self, done: usize, all: usize) {
        // A log needs no line for every chunk.
        let step = if self.terminal { 1 } else { (all / 10).max(1) };
        if all == 0 || done < self.last.get() + step {
            return;
        }
        self.last.set(done);
        let end = if self.terminal { "\r" } else { "\n" };
        // Nobody is left to tell when stderr is closed.
        let _ = write!(std::io::stderr(), "{} {done}/{all} 行{end}", self.verb);
    }

    fn end(&self) {
        if self.terminal {
            let _ = writeln!(std::io::stderr());
        }
    }
}
