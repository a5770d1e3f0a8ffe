//! What stops the program, said to the person who can do something about it: in Chinese, then in English.

use std::{fmt, io::Write as _, process::ExitCode};

use app::store::{Fault, FaultKind, Place};

/// Exit code when a check found something.
pub const CHECK_FAILED: u8 = 1;
/// Exit code when the program was asked for something it cannot do here.
pub const WRONG_USE: u8 = 2;

/// A reason to stop.
#[derive(Debug)]
pub struct Complaint {
    zh: String,
    en: String,
}

impl Complaint {
    /// Says what is wrong and what to do, twice.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Complaint {
        Complaint { zh: zh.into(), en: en.into() }
    }

    /// The data could not be opened.
    pub fn opening(place: &Place, fault: &Fault) -> Complaint {
        match place {
            Place::Postgres(_) if fault.context.iter().any(|c| c.contains("PostgreSQL")) => Complaint::new(
                format!("连不上 PostgreSQL：{fault}。请检查 --database 的地址、用户、密码和数据库是否已启动"),
                format!(
                    "cannot reach PostgreSQL ({fault}); check the address, user and password of --database"
                ),
            ),
            Place::Folder(folder) => Complaint::new(
                format!("打不开数据目录 {}：{fault}。{}", folder.display(), remedy_zh(fault)),
                format!("cannot open the data folder {} ({fault}); {}", folder.display(), remedy_en(fault)),
            ),
            Place::Postgres(_) => Complaint::from(fault.clone()),
        }
    }

    /// A file or folder could not be used.
    pub fn file(what: &std::path::Path, error: &std::io::Error) -> Complaint {
        Complaint::new(
            format!("不能读写 {}：{error}。请检查目录是否存在、权限和磁盘空间", what.display()),
            format!("cannot use {} ({error}); check that it exists, its rights and the disk", what.display()),
        )
    }

    /// Tells it on stderr and gives the exit code.
    pub fn exit(self) -> ExitCode {
        // Nobody is left to tell when stderr is closed.
        let _ = writeln!(std::io::stderr(), "xiyang: {}\n        {}", self.zh, self.en);
        ExitCode::from(WRONG_USE)
    }
}

fn remedy_zh(fault: &Fault) -> &'static str {
    match fault.kind {
        FaultKind::Full => "磁盘已满，请清理后再试",
        FaultKind::Busy => "另一个程序正在使用，请先停掉它",
        _ => "请检查目录是否存在、能否写入，或换一个 --data",
    }
}

fn remedy_en(fault: &Fault) -> &'static str {
    match fault.kind {
        FaultKind::Full => "the disk is full",
        FaultKind::Busy => "another program is using it, stop that first",
        _ => "check that it can be written, or choose another --data",
    }
}

impl From<Fault> for Complaint {
    fn from(fault: Fault) -> Complaint {
        Complaint::new(format!("内部故障：{fault}"), format!("internal fault: {fault}"))
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.zh, self.en)
    }
}
