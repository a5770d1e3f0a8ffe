//! One double-entry ledger for money, minutes, meals and hours.
//!
//! A transfer moves a positive amount of one asset from one account to another and never changes. What it means for
//! the two balances is decided here; the rows are kept by the store. INVARIANT: per asset, debits equal credits.

use crate::access::words;

words! {
    /// What an account is for.
    AccountKind {
        /// Money a funder gives for a programme; may go below zero until the funder's transfer arrives.
        Funder = "funder" "出资方",
        /// What a provider has earned and not been paid.
        Provider = "provider" "服务商应付",
        /// What an elder owes for own shares.
        Elder = "elder" "老人自付",
        /// A person's right for a month.
        Right = "right" "权益额度",
        /// Where rights are issued from.
        Issued = "issued" "额度发放",
        /// Where used rights go.
        Used = "used" "额度使用",
        /// The bank, for payments made.
        Bank = "bank" "银行",
    }
}

words! {
    /// What a transfer does.
    TransferKind {
        /// Moves at once.
        Posted = "posted" "记账",
        /// Holds an amount until it is posted or given back.
        Pending = "pending" "冻结",
        /// Uses a held amount, or less of it.
        PostPending = "post_pending" "使用冻结",
        /// Gives a held amount back.
        VoidPending = "void_pending" "解冻",
    }
}

/// The four sums of an account.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Held on the debit side.
    pub debits_pending: i64,
    /// Moved out.
    pub debits_posted: i64,
    /// Held on the credit side.
    pub credits_pending: i64,
    /// Moved in.
    pub credits_posted: i64,
}

impl Balance {
    /// What came in less what went out.
    pub fn posted(self) -> i64 {
        self.credits_posted - self.debits_posted
    }

    /// What can still be spent: moved in, less moved out, less held.
    pub fn available(self) -> i64 {
        self.posted() - self.debits_pending
    }
}
