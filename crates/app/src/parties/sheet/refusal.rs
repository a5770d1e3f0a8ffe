//! Why a whole file was not taken.

/// Each sentence says what the clerk can do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SheetRefusal {
    /// No bytes, or no cell with anything in it.
    #[error("文件里没有任何内容，请确认选对了文件，并在保存后再上传")]
    Empty,
    /// More bytes than allowed.
    #[error("文件太大，最多{megabytes}MB；请删去图片和无关的工作表，或按乡镇拆成几个文件")]
    TooBig {
        /// The limit.
        megabytes: usize,
    },
    /// It unpacks to too much, or says so.
    #[error("文件解压后过大，不能处理；请把表格内容复制到一个新建的表格里，另存为.xlsx后再上传")]
    UnpacksTooBig,
    /// More rows, columns or cells than allowed.
    #[error("表格内容太多，超过了能处理的行数或列数；请删去无关的行列，或按乡镇拆成几个文件")]
    TooManyCells,
    /// Encrypted.
    #[error("文件设有打开密码，请先在表格软件里取消密码，保存后再上传")]
    Password,
    /// A workbook that cannot be read.
    #[error("文件已损坏或没有传完整，请用表格软件打开，另存为.xlsx后再上传")]
    Broken,
    /// A web page with the name of a workbook.
    #[error(
        "这个文件其实是网页，只是用了表格的后缀名（从一些系统导出的就是这样）；请用WPS或Excel打开，另存为.xlsx后再上传"
    )]
    Html,
    /// SpreadsheetML of 2003, or a format older than that.
    #[error("这是旧格式的表格文件，请用WPS或Excel打开，另存为.xlsx后再上传")]
    OldFormat,
    /// zip, rar, 7z.
    #[error("这是压缩包，请先解压，再上传里面的表格文件")]
    Archive,
    /// A document of another kind.
    #[error("这是{what}，不是表格，请上传.xlsx、.xls或.csv文件")]
    OtherFile {
        /// Word document, picture …
        what: &'static str,
    },
    /// Bytes that are no text either.
    #[error("认不出这个文件，请上传.xlsx、.xls或.csv格式的表格")]
    Unknown,
    /// A sheet was asked for that is not there.
    #[error("文件里没有名为“{name}”的工作表，请重新选择")]
    NoSuchSheet {
        /// As asked.
        name: String,
    },
    /// Somebody stopped it.
    #[error("已停止读取")]
    Stopped,
}

impl SheetRefusal {
    /// A stable word for programs and statistics.
    pub fn code(&self) -> &'static str {
        match self {
            SheetRefusal::Empty => "file_empty",
            SheetRefusal::TooBig { .. } => "file_too_big",
            SheetRefusal::UnpacksTooBig => "file_unpacks_too_big",
            SheetRefusal::TooManyCells => "file_too_many_cells",
            SheetRefusal::Password => "file_password",
            SheetRefusal::Broken => "file_broken",
            SheetRefusal::Html => "file_html",
            SheetRefusal::OldFormat => "file_old_format",
            SheetRefusal::Archive => "file_archive",
            SheetRefusal::OtherFile { .. } => "file_other_kind",
            SheetRefusal::Unknown => "file_unknown",
            SheetRefusal::NoSuchSheet { .. } => "file_no_such_sheet",
            SheetRefusal::Stopped => "file_stopped",
        }
    }
}
