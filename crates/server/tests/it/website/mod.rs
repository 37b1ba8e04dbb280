//! Log-in for websites: judged by clients and servers that nobody here wrote, and by the list of the OpenID Basic OP plan.

mod apache;
mod browser;
mod conformance;
mod crash;
mod forward_auth;
mod openid_connect;
mod redirects;
mod script;
