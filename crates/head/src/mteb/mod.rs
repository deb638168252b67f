//! What MTEB's classification is made of, step by step: numpy's shuffle and scikit-learn's logistic regression.
//!
//! Published figures are those of a fit that ends early, so the way there matters as much as the minimum. On features that
//! are not of length 1 the minimum itself is several tenths of a percent away.
//!
//! **Invariant:** nothing else in this library draws or fits by these. Ours are better where nobody else's figures count.

mod logistic;
mod minimise;
mod mt19937;
mod wolfe;

pub use logistic::fit_mteb;
pub(crate) use mt19937::Mt19937;
