//! The one binary: a demo city, a server, a check of everything that is stored.
//!
//! No logic here: each subcommand has a file, reads its arguments, opens the store and calls `app`, `web` or `city`.
//! Clock and randomness enter the program here and nowhere else.

mod bench;
mod brokers;
mod complaint;
mod decode;
mod demo;
mod device;
mod folder;
mod gateway;
mod http;
mod import;
mod keys;
mod open;
mod outside;
mod serve;
mod signals;
mod verify;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use domain::time::At;

/// Many short-lived strings on two cores: this allocator costs a third less than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// 夕阳红：城市养老服务平台。An open platform a city runs its eldercare on.
#[derive(Debug, Parser)]
#[command(name = "xiyang", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 打开一座模拟城市，数据都是虚构的。Open a simulated city; nobody in it is real
    Demo(demo::DemoArgs),
    /// 启动平台。Run the platform
    Serve(ServeArgs),
    /// 导入名单。Import lists
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// 设备。Devices
    #[command(subcommand)]
    Device(device::DeviceCommand),
    /// 核对留痕与数据，有出入时以 1 退出。Check the evidence log and what it stands for
    Verify(VerifyArgs),
    /// 解码设备报文：手表、消防、水表、SCAIP、MQTT、FHIR。有报文不能解码时以 1 退出。Decode what devices sent
    Decode(decode::DecodeArgs),
    /// 性能测量，与同类对照。Measure this machine beside peers
    Bench(bench::BenchArgs),
}

/// Where the data lies: a folder or a PostgreSQL database.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct PlaceArgs {
    /// 数据目录（内置数据库）。Data folder with the embedded database
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// PostgreSQL 地址。Address of a PostgreSQL database, 15 or later
    #[arg(long, value_name = "postgres://…")]
    database: Option<String>,
}

#[derive(Debug, Args)]
struct ServeArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// 监听地址。Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// 密钥目录，默认为数据目录下的 keys，用 PostgreSQL 时为 ./keys。Folder of the keys
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    #[command(flatten)]
    doors: signals::DoorArgs,
    #[command(flatten)]
    gateway: gateway::GatewayArgs,
    /// Lets the server's clock begin at another moment, for measuring and rehearsing visits at any hour of the night.
    #[arg(long, value_name = "TIME", hide = true, value_parser = parse_at)]
    clock: Option<At>,
}

fn parse_at(text: &str) -> Result<At, String> {
    At::parse(text).ok_or_else(|| "2026-11-21T09:30:00+08:00".to_owned())
}

#[derive(Debug, Args)]
struct VerifyArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// 密钥目录，默认同 serve。Folder of the keys, as for serve
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Demo(args) => demo::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Import(what) => import::run(what),
        Command::Device(what) => device::run(what),
        Command::Verify(args) => verify::run(args),
        Command::Decode(args) => decode::run(args),
        Command::Bench(args) => bench::run(args),
    };
    done.unwrap_or_else(|complaint| complaint.exit())
}
