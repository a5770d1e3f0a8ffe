//! `xiyang bench NAME`: what this machine does, beside what peers do on it, measured in one run.
//!
//! Every bench prints one object: figures, the limits it ran against, and the machine. A figure without its limits and
//! peers of the same run says little on a machine that others use too.

mod cycle;
mod disk;
mod intake;
mod load;
mod mosquitto;
mod mqtt_load;
mod orders;
mod peers;
mod report;
mod seed;
mod server;
mod store;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::complaint::Complaint;
use intake::IntakeArgs;
use orders::OrdersArgs;

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
    /// 设备接入：消息到持久保存，报警到警情。Devices' messages to durable rows, alarms to incidents
    Intake(IntakeArgs),
}

pub(crate) fn run(args: BenchArgs) -> Result<ExitCode, Complaint> {
    crate::outside::log("warn");
    match args.what {
        What::Orders(args) => orders::run(args),
        What::Intake(args) => intake::run(args),
    }
}
