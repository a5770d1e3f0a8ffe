//! `xiyang device add KIND ID`: enters a device and prints its secret, once.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use app::{
    outcome::No,
    signals::devices::{self, NewDevice},
};
use clap::{Args, Subcommand};
use domain::{
    access::{Actor, Role},
    ids::{AccountId, DeviceId, PersonId},
    refusal::Refusal as _,
    regions::{RegionCode, RegionRange},
    signals::device::DeviceKind,
};

use crate::{PlaceArgs, complaint::Complaint, open, outside};

#[derive(Debug, Subcommand)]
pub(crate) enum DeviceCommand {
    /// 登记一台设备并显示一次密钥。Enter a device; its secret is shown once
    Add(AddArgs),
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
    let DeviceCommand::Add(args) = command;
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
