//! Where an import of a list stands.

use crate::access::words;

words! {
    /// The steps of an import.
    ImportState {
        /// The file is being read and compared with the register.
        Reading = "reading" "正在读取",
        /// Read; somebody should look and accept.
        Ready = "ready" "待核对",
        /// Rows are being stored.
        Storing = "storing" "正在保存",
        /// All rows that can be stored are.
        Done = "done" "已完成",
        /// Stopped by somebody; what was stored stays.
        Cancelled = "cancelled" "已取消",
        /// The file was refused, or something broke.
        Failed = "failed" "未成功",
    }
}

impl ImportState {
    /// A worker is at it, or will be.
    pub fn running(self) -> bool {
        matches!(self, ImportState::Reading | ImportState::Storing)
    }
}
