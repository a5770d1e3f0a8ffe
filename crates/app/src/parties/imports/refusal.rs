//! Why a step of an import was refused.

use domain::refusal::{Refusal, RefusalKind};

use super::State;
use crate::parties::sheet::{Field, SheetRefusal};

/// Each sentence says what the clerk can do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportRefusal {
    /// No bytes.
    #[error("文件里没有任何内容，请确认选对了文件，并在保存后再上传")]
    Empty,
    /// More than [`super::FILE_MAX`].
    #[error("文件超过 {megabytes} MB，没有接收；请删去图片和无关的工作表，或按乡镇拆成几个文件")]
    TooBig {
        /// The limit.
        megabytes: usize,
    },
    /// It is still being read.
    #[error("文件还在读取，请等读完、核对之后再接受")]
    StillReading,
    /// It was accepted, stopped or refused already.
    #[error("这次导入{}，不能再这样做；如要再导入，请重新上传文件", .0.label())]
    Over(State),
    /// Nothing would change.
    #[error("没有可以接受的行：请先改好问题行再上传，或检查各列的含义是否认对")]
    NothingToTake,
    /// A field in two columns.
    #[error("“{}”选了两列，请只留一列", .0.label())]
    Twice(Field),
    /// A column that is not there.
    #[error("文件里没有第 {0} 列，请重新选择")]
    NoColumn(u32),
    /// A sheet that is not there.
    #[error("文件里没有名为“{0}”的工作表，请重新选择")]
    NoSheet(String),
    /// Nothing is wrong with any row.
    #[error("这次导入没有问题行，不用下载")]
    NoProblems,
    /// The file cannot be read.
    #[error(transparent)]
    Sheet(#[from] SheetRefusal),
}

impl Refusal for ImportRefusal {
    fn code(&self) -> &'static str {
        match self {
            ImportRefusal::Empty => "file_empty",
            ImportRefusal::TooBig { .. } => "file_too_big",
            ImportRefusal::StillReading => "import_still_reading",
            ImportRefusal::Over(_) => "import_over",
            ImportRefusal::NothingToTake => "import_nothing_to_take",
            ImportRefusal::Twice(_) => "import_column_twice",
            ImportRefusal::NoColumn(_) => "import_no_column",
            ImportRefusal::NoSheet(_) => "import_no_sheet",
            ImportRefusal::NoProblems => "import_no_problems",
            ImportRefusal::Sheet(refusal) => refusal.code(),
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            ImportRefusal::StillReading
            | ImportRefusal::Over(_)
            | ImportRefusal::NothingToTake
            | ImportRefusal::NoProblems => RefusalKind::Conflict,
            _ => RefusalKind::Invalid,
        }
    }
}
