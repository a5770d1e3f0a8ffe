//! `xiyang bench import`: a county's list through the real command, into a city that is there already.

use std::{
    path::Path,
    process::{ExitCode, Stdio},
    time::{Duration, Instant},
};

use city::{City, CitySpec};
use clap::Args;
use rust_xlsxwriter::{Workbook, XlsxError};
use serde_json::Value;

use super::{
    disk,
    place::CityArgs,
    report::Report,
    scratch::{self, Scratch},
    server,
};
use crate::complaint::{CHECK_FAILED, Complaint};

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    city: CityArgs,
    /// 名单的行数。Rows of the list
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(100..=200_000))]
    rows: u32,
}

/// Within which a list of 50,000 rows must be in the register; longer lists in proportion.
const SECONDS_MAX: f64 = 60.0;
/// Those on the list are of another simulated city in the same places.
const SEED: u64 = 1_000_003;

pub(crate) fn run(args: &ImportArgs) -> Result<ExitCode, Complaint> {
    let mut report = Report::new("import");
    let scratch = Scratch::below(scratch::USUAL.as_ref())?;
    let file = |e: std::io::Error| Complaint::file(&scratch.0, &e);
    let place = args.city.open(&mut report)?;
    let list = scratch.0.join("list.xlsx");
    let bytes = workbook(&place.city, args.rows).map_err(|e| {
        Complaint::new(format!("名单没有写成：{e}"), format!("the list was not written: {e}"))
    })?;
    std::fs::write(&list, &bytes).map_err(file)?;
    report.figure("rows", f64::from(args.rows));
    report.figure("file_mib", bytes.len() as f64 / 1024.0 / 1024.0);
    // Alone, as a clerk at the command line; the pages hand the same work to the same worker.
    place.server.end();

    let first = import(&list, &place.data)?;
    report.figure("import_s", first.seconds);
    report.figure("import_memory_mib", first.memory_mib);
    report.figure("accepted", first.number("accepted") + first.number("unchanged"));
    report.figure("rejected", first.number("rejected"));
    report.figure("rows_per_s", f64::from(args.rows) / first.seconds);
    // A list that comes again is compared row by row and changes nothing.
    let again = import(&list, &place.data)?;
    report.figure("again_s", again.seconds);
    report.figure("again_unchanged", again.number("unchanged"));

    let sync = disk::sync(&scratch.0, Duration::from_secs(1)).map_err(file)?;
    report.limit("fsync_p50_ms", sync.p50_ms);
    let began = Instant::now();
    std::fs::read(&list).map_err(file)?;
    report.limit("read_file_s", began.elapsed().as_secs_f64());
    let limit = SECONDS_MAX * (f64::from(args.rows) / 50_000.0).max(1.0);
    report.limit("import_s_max", limit);
    report.print(args.city.json)?;
    let good = first.seconds <= limit && first.number("rejected") == 0.0;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(CHECK_FAILED) })
}

/// What a run of the command took and said.
struct Done {
    seconds: f64,
    memory_mib: f64,
    said: Value,
}

impl Done {
    fn number(&self, name: &str) -> f64 {
        self.said[name].as_f64().unwrap_or(0.0)
    }
}

fn import(list: &Path, data: &Path) -> Result<Done, Complaint> {
    let file = |e: std::io::Error| Complaint::file("xiyang import".as_ref(), &e);
    let began = Instant::now();
    let mut command = server::program()?;
    command.args(["import", "people", "--json"]).arg(list).arg("--data").arg(data);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(file)?;
    let mut memory_mib: f64 = 0.0;
    while child.try_wait().map_err(file)?.is_none() {
        memory_mib = memory_mib.max(server::memory_mib(child.id()));
        std::thread::sleep(Duration::from_millis(20));
    }
    let seconds = began.elapsed().as_secs_f64();
    let output = child.wait_with_output().map_err(file)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = text.lines().last().and_then(|line| serde_json::from_str(line).ok());
    let said = said.ok_or_else(|| Complaint::new("导入命令没有给出结果", "the import said nothing"))?;
    Ok(Done { seconds, memory_mib, said })
}

fn spec(like: &City, people: u32) -> CitySpec {
    CitySpec { seed: SEED, people, ..like.spec.clone() }
}

/// The list as a county's clerk keeps it, with what our template asks for.
fn workbook(like: &City, rows: u32) -> Result<Vec<u8>, XlsxError> {
    // The villages are those of the city that is there: other people in the same places.
    let others = City::build(spec(like, rows), city::REGIONS).expect("the same regions made a city already");
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("名单")?;
    let heads = [
        "姓名",
        "身份证号",
        "联系电话",
        "村（社区）",
        "详细地址",
        "居住状况",
        "银行卡号",
        "紧急联系人",
        "紧急联系人电话",
    ];
    for (column, head) in (0u16..).zip(heads) {
        sheet.write_string(0, column, head)?;
    }
    for (row, person) in (1u32..).zip(others.people()) {
        let home = like.person((row * 17) % like.spec.people);
        let (village, card) = (home.residence.to_string(), person.bank_card.clone().unwrap_or_default());
        let living = domain::parties::LivingArrangement::from_code(person.living.code());
        let contact = person.contacts.first();
        let cells = [
            person.name.as_str(),
            &person.id_no,
            &person.phone,
            &village,
            &home.address,
            living.map_or("", |l| l.label()),
            &card,
            contact.map_or("", |c| &c.name),
            contact.map_or("", |c| &c.phone),
        ];
        for (column, cell) in (0u16..).zip(cells) {
            sheet.write_string(row, column, cell)?;
        }
    }
    book.save_to_buffer()
}
