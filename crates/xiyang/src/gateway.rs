//! The city's telephone and text gateway: where it is, and the secret both sides know.

use std::path::PathBuf;

use clap::Args;
use web::Gateway;

use crate::{complaint::Complaint, outside};

/// The variable the secret may stand in; the command line is no place for one.
const SECRET: &str = "XIYANG_GATEWAY_SECRET";
/// A shorter secret can be guessed.
const SECRET_MIN: usize = 16;

/// Who calls and writes to people in the platform's name.
#[derive(Debug, Default, Clone, Args)]
pub(crate) struct GatewayArgs {
    /// 话务与短信网关地址；不填则提示坐席人工拨打。密钥取环境变量 XIYANG_GATEWAY_SECRET。Telephone and text gateway
    #[arg(long, value_name = "http(s)://HOST[:PORT]/PATH")]
    gateway: Option<String>,
    /// 网关密钥文件，代替环境变量。File with the gateway's secret instead of the variable
    #[arg(long, value_name = "FILE", requires = "gateway")]
    gateway_secret: Option<PathBuf>,
    /// 网关证书的签发者，PEM，默认用系统信任的。Who vouches for the gateway
    #[arg(long, value_name = "FILE", requires = "gateway")]
    gateway_ca: Option<PathBuf>,
}

impl GatewayArgs {
    /// Reads the address and the secret; nothing is connected yet.
    pub(crate) fn read(&self) -> Result<Option<Gateway>, Complaint> {
        let Some(url) = &self.gateway else { return Ok(None) };
        let secret = match &self.gateway_secret {
            Some(file) => std::fs::read_to_string(file).map_err(|e| Complaint::file(file, &e))?,
            None => std::env::var(SECRET).unwrap_or_default(),
        };
        let secret = secret.trim();
        if secret.len() < SECRET_MIN {
            return Err(Complaint::new(
                format!(
                    "网关密钥没有设置或太短：请把至少 {SECRET_MIN} 个字符放进环境变量 {SECRET}，或用 --gateway-secret 指明文件"
                ),
                format!(
                    "no secret for the gateway: put at least {SECRET_MIN} characters into {SECRET} or a file named by --gateway-secret"
                ),
            ));
        }
        let gateway = Gateway::new(url, secret, self.gateway_ca.as_deref(), outside::now);
        gateway.map(Some).map_err(|e| {
            Complaint::new(
                format!("--gateway 的地址或证书不对：{e}。应为 http://主机:端口/路径 或 https://…"),
                format!("--gateway: {e}; give http://host:port/path or https://…"),
            )
        })
    }
}
