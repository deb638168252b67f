//! Names of the regression metrics.

use std::fmt;

/// A metric of a [`Regression`](crate::Regression). Displayed as scikit-learn's function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegressionMetric {
    /// Mean of |truth − prediction|.
    MeanAbsoluteError,
    /// √ of the mean of (truth − prediction)².
    RootMeanSquaredError,
    /// Median of |truth − prediction|, the mean of the middle two of an even number.
    MedianAbsoluteError,
    /// Largest |truth − prediction|.
    MaxError,
    /// 1 − Σ (truth − prediction)² / Σ (truth − mean truth)². Where every truth is the same: 1 if every
    /// prediction is right, else 0. Undefined for one row.
    R2,
    /// 1 − variance of truth − prediction / variance of truth. Where every truth is the same: 1 if every
    /// error is the same, else 0.
    ExplainedVariance,
}

impl RegressionMetric {
    /// All of them.
    pub const ALL: [RegressionMetric; 6] = [
        RegressionMetric::MeanAbsoluteError,
        RegressionMetric::RootMeanSquaredError,
        RegressionMetric::MedianAbsoluteError,
        RegressionMetric::MaxError,
        RegressionMetric::R2,
        RegressionMetric::ExplainedVariance,
    ];
}

impl fmt::Display for RegressionMetric {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            RegressionMetric::MeanAbsoluteError => "mean_absolute_error",
            RegressionMetric::RootMeanSquaredError => "root_mean_squared_error",
            RegressionMetric::MedianAbsoluteError => "median_absolute_error",
            RegressionMetric::MaxError => "max_error",
            RegressionMetric::R2 => "r2_score",
            RegressionMetric::ExplainedVariance => "explained_variance_score",
        })
    }
}
