//! `xiyang bench NAME`: what this machine does, beside what peers do on it, measured in one run.
//!
//! Every bench prints one object: figures, the limits it ran against, and the machine. A figure without its limits and
//! peers of the same run says little on a machine that others use too.

mod browse;
mod crowd;
mod cycle;
mod decode;
mod desk;
mod disk;
mod heartbeats;
mod import;
mod intake;
mod load;
mod mosquitto;
mod mqtt_load;
mod orders;
mod pages;
mod peers;
mod people;
mod place;
mod reconnect;
mod report;
mod scratch;
mod seed;
mod server;
mod store;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::complaint::Complaint;
use import::ImportArgs;
use intake::IntakeArgs;
use orders::OrdersArgs;
use pages::PagesArgs;
use people::PeopleArgs;

/// Arguments of `xiyang bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// 工单全程：下单、派单、签到、签退、结算。The life of an order, five durable requests
    Orders(OrdersArgs),
    /// 报文解码：每核每秒帧数。Frames decoded by one core
    Decode(decode::DecodeArgs),
    /// 全市最常打开的十个页面。The ten pages most open, in a whole city
    Pages(PagesArgs),
    /// 全市找人：姓名、首字母、后四位、筛选、排序。Finding people in a whole city
    People(PeopleArgs),
    /// 导入一份大名单。A long list through the import
    Import(ImportArgs),
    /// 全部设备断线后同时重连，期间照常报警。All devices come back at once while alarms are sent
    Reconnect(reconnect::ReconnectArgs),
    /// 报警到值守席打开的页面，用真实浏览器测量。From a press to the operator's open page, in a real browser
    Desk(desk::DeskArgs),
    /// 设备心跳：无事时的处理器占用，失联后多久列出。Watching over silence: its cost, and how soon a missing device is found
    Heartbeats(heartbeats::HeartbeatArgs),
    /// 设备接入：消息到持久保存，报警到警情。Devices' messages to durable rows, alarms to incidents
    Intake(IntakeArgs),
}

pub(crate) fn run(args: BenchArgs) -> Result<ExitCode, Complaint> {
    crate::outside::log("warn");
    match args.what {
        What::Orders(args) => orders::run(args),
        What::Decode(args) => decode::run(args),
        What::Pages(args) => pages::run(&args),
        What::People(args) => people::run(&args),
        What::Import(args) => import::run(&args),
        What::Intake(args) => intake::run(args),
        What::Reconnect(args) => reconnect::run(&args),
        What::Desk(args) => desk::run(&args),
        What::Heartbeats(args) => heartbeats::run(&args),
    }
}
