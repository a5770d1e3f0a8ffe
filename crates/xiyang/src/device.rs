//! `xiyang device add KIND ID` enters a device and prints its secret, once; `xiyang device import FILE` enters those of a
//! list and writes their secrets into a file that only its owner can read.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use app::{
    outcome::No,
    parties::sheet,
    signals::devices::{
        self, NewDevice,
        list::{self, Entered},
    },
};
use clap::{Args, Subcommand};
use domain::{
    access::{Actor, Role},
    ids::{AccountId, DeviceId, PersonId},
    refusal::Refusal as _,
    regions::{RegionCode, RegionRange},
    signals::device::DeviceKind,
};

use serde_json::json;

use crate::{
    PlaceArgs,
    complaint::{CHECK_FAILED, Complaint},
    open, outside,
};

#[derive(Debug, Subcommand)]
pub(crate) enum DeviceCommand {
    /// 登记一台设备并显示一次密钥。Enter a device; its secret is shown once
    Add(AddArgs),
    /// 按清单批量登记设备（.xlsx、.xls、.csv）。有行未登记时以 1 退出。Enter the devices of a list; exit 1 when lines were refused
    Import(ImportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// 清单，至少有“设备号”和“类别”两列；另认 身份证号、区划代码、位置、厂商、网关、心跳。The list
    file: PathBuf,
    /// 结果写到这个新文件（CSV，含密钥，仅本人可读）。Where the results go, secrets among them
    #[arg(long, value_name = "OUT")]
    secrets: PathBuf,
    #[command(flatten)]
    at: PlaceArgs,
    /// 密钥目录，默认同 serve。Folder of the keys, as for serve
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// 类别：sos watch pir door smoke gas leak bedmat radar meter temp vitals unit fire gateway。Kind
    #[arg(value_parser = parse_kind)]
    kind: DeviceKind,
    /// 设备号，设备以它登录。What the device signs in with
    id: String,
    /// 使用设备的老人的编号。Id of the person it watches
    #[arg(long, value_name = "ID")]
    person: Option<PersonId>,
    /// 安装的区划，没有使用人时填写。Region of a device that watches a place
    #[arg(long, value_name = "CODE", value_parser = parse_region)]
    region: Option<RegionCode>,
    /// 安装位置。Where in the home or the building
    #[arg(long, default_value = "")]
    place: String,
    /// 厂商。Vendor
    #[arg(long, default_value = "")]
    vendor: String,
    /// 代它上报的网关的编号。Id of the gateway that speaks for it
    #[arg(long, value_name = "ID")]
    gateway: Option<DeviceId>,
    /// 心跳间隔，秒。Seconds within which it should be heard of again
    #[arg(long, value_name = "SECONDS")]
    beat: Option<i64>,
    #[command(flatten)]
    at: PlaceArgs,
    /// 密钥目录，默认同 serve。Folder of the keys, as for serve
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
}

fn parse_kind(text: &str) -> Result<DeviceKind, String> {
    let known = || DeviceKind::ALL.iter().map(|k| k.code()).collect::<Vec<_>>().join(" ");
    DeviceKind::parse(text).ok_or_else(known)
}

fn parse_region(text: &str) -> Result<RegionCode, String> {
    RegionCode::parse(text).map_err(|e| e.to_string())
}

pub(crate) fn run(command: DeviceCommand) -> Result<ExitCode, Complaint> {
    outside::log("warn");
    match command {
        DeviceCommand::Add(args) => add(args),
        DeviceCommand::Import(args) => import(&args),
    }
}

fn add(args: AddArgs) -> Result<ExitCode, Complaint> {
    let opened = open::to_join(&args.at, args.keys.as_deref())?;
    let new = NewDevice {
        serial: args.id,
        kind: args.kind,
        protocol: None,
        vendor: args.vendor,
        person: args.person,
        region: args.region,
        place: args.place,
        gateway: args.gateway,
        beat_seconds: args.beat,
    };
    let mut random = [0; 16];
    outside::random(&mut random);
    let now = outside::now();
    let added = opened.store.write(move |tx| devices::add(tx, &machine(), &new, random, now));
    let (id, secret) = match added {
        Ok(added) => added,
        Err(No::Refused(refusal)) => return Err(Complaint::new(refusal.to_string(), refusal.code())),
        Err(No::Fault(fault)) => return Err(fault.into()),
        Err(No::Forbidden(_) | No::NotFound) => {
            return Err(Complaint::new("没有登记", "not entered"));
        }
    };
    // Only the secret on stdout, so that a script can take it.
    writeln!(std::io::stdout(), "{}", secret.reveal()).map_err(|e| Complaint::file("stdout".as_ref(), &e))?;
    let said =
        format!("已登记，设备编号 {id}。密钥只显示这一次\nentered as {id}; the secret is shown this once");
    writeln!(std::io::stderr(), "{said}").map_err(|e| Complaint::file("stderr".as_ref(), &e))?;
    Ok(ExitCode::SUCCESS)
}

/// Lines entered in one command: so many secrets can be lost with the machine.
const AT_ONCE: usize = 20;

/// Enters the list and says on stdout, as one JSON object, how many lines were added, known and refused.
fn import(args: &ImportArgs) -> Result<ExitCode, Complaint> {
    let bytes = std::fs::read(&args.file).map_err(|e| Complaint::file(&args.file, &e))?;
    let name = args.file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let book = sheet::read(&name, &bytes, &sheet::Limits::default())
        .map_err(|refusal| Complaint::new(refusal.to_string(), refusal.code()))?;
    let lines = list::lines(&book).ok_or_else(|| {
        let why = "no titles found; at least 设备号 (serial) and 类别 (kind) are needed";
        Complaint::new("没有认出表头，至少要有“设备号”和“类别”两列", why)
    })?;
    let opened = open::to_join(&args.at, args.keys.as_deref())?;
    let mut out = results(&args.secrets)?;
    let (mut added, mut known, mut refused) = (0, 0, 0);
    for some in lines.chunks(AT_ONCE) {
        let mut random = vec![[0; 16]; some.len()];
        random.iter_mut().for_each(|bytes| outside::random(bytes));
        let (now, batch) = (outside::now(), some.to_vec());
        let entered = opened.store.write(move |tx| list::enter(tx, &machine(), &batch, &random, now));
        let entered = entered.map_err(|no| match no {
            No::Fault(fault) => Complaint::from(fault),
            _ => Complaint::new("没有登记", "not entered"),
        })?;
        for (line, entered) in some.iter().zip(entered) {
            let (word, id, secret) = match &entered {
                Entered::Added(id, secret) => ("已登记", id.to_string(), secret.reveal()),
                Entered::Known(id) => ("原已登记", id.to_string(), ""),
                Entered::Refused((_, why)) => (why.as_str(), String::new(), ""),
            };
            let row = line.row.to_string();
            let written = out.write_record([row.as_str(), &line.serial, word, &id, secret]);
            written.map_err(|e| Complaint::file(&args.secrets, &e.into()))?;
            match entered {
                Entered::Added(..) => added += 1,
                Entered::Known(_) => known += 1,
                Entered::Refused(_) => refused += 1,
            }
        }
        // What is entered and not written down has a secret that nobody knows.
        let kept = out.flush().and_then(|()| out.get_ref().sync_data());
        kept.map_err(|e| Complaint::file(&args.secrets, &e))?;
    }
    let counts = json!({ "rows": lines.len(), "added": added, "known": known, "refused": refused });
    writeln!(std::io::stdout(), "{counts}").map_err(|e| Complaint::file("stdout".as_ref(), &e))?;
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(CHECK_FAILED) })
}

/// A new file for the results, closed to everybody else.
fn results(path: &Path) -> Result<csv::Writer<File>, Complaint> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|e| Complaint::file(path, &e))?;
    // The mark by which Excel knows UTF-8.
    file.write_all("\u{feff}".as_bytes()).map_err(|e| Complaint::file(path, &e))?;
    let mut out = csv::Writer::from_writer(file);
    let titles = out.write_record(["行号", "设备号", "结果", "设备编号", "密钥（只在此文件中）"]);
    titles.map_err(|e| Complaint::file(path, &e.into()))?;
    Ok(out)
}

/// The machine itself, everywhere.
fn machine() -> Actor {
    Actor {
        account: AccountId(0),
        name: "命令行".to_owned(),
        role: Role::System,
        range: RegionRange::ALL,
        provider: None,
        carer: None,
    }
}
