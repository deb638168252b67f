//! The long help: metrics stand there as the catalogues have them.

use metrics::{Alone, ClassOutcomes, LabelOutcomes, Measured, NumberOutcomes};

use crate::novelty::Novelties;

/// What `--help` begins with.
pub(crate) fn long() -> String {
    format!(
        "Writes a metrics table of a head on cached features.\n\n\
         Reads a folder NAME.features that extract wrote and a NAME.head that fit-head wrote. They must agree in network, \
         weights, tap, preprocessing and classes.\n\n\
         Writes one long table to Parquet, CSV or JSON by extension. Its columns are split, scope, metric, class, value, \
         ci_low, ci_high, n.\n\n\
         Scopes:\n\
         \x20 overall             all rows of the split; class is null\n\
         \x20 class               one class, label or number by itself\n\
         \x20 confusion           metric `confusion:PREDICTED` of each true class that was so predicted: rows, right ones too\n\
         \x20 slice:COLUMN=VALUE  the rows that share a value: the metrics of `overall` that need no ranking\n\
         \x20 difference          the same less the baseline's, and of classes mcnemar_p_value\n\n\
         Metrics of classes: {classes}.\n\n\
         Metrics of labels: {labels}.\n\n\
         Metrics of numbers, of several their means: {numbers}.\n\n\
         Metrics of one class or label: {alone}.\n\n\
         Metrics of heads that know novelty: {novelty}.\n\n\
         top_5_accuracy is there with more than 5 classes, and coverage_at_reject and accuracy_at_reject of heads with a \
         reject threshold. log_loss is in nats. ece and ece_equal_mass have 15 bins of equal width, of equal rows. aurc is \
         the area under risk over coverage. Losses of one class are those of labels alone.\n\n\
         Metrics are scikit-learn's, with labels=all classes and zero_division=0. What is undefined is null.\n\n\
         ci_low and ci_high are the 95 % interval of the value that endless rows with these shares of classes would have. \
         In simulations it held that value 94 % of the time or more, also where a class has one row (ACCURACY.md). Losses \
         and errors have no bound. One is assumed, and rare ones beyond it are not covered. max_error has no interval. \
         r2_score and explained_variance_score have none of fewer than 20 rows, median_absolute_error none of fewer than 6.\n\n\
         n is the number of rows a value is taken over: the split's, the rows of the class, or, for precision, the rows \
         predicted as it.\n\n\
         What is so of a sample is read as it was for the fit: from the features, or from the columns of --manifest that the \
         head names.\n\n\
         Prints a summary on stdout. Its layout may change, so read the table from programs.",
        classes = names::<ClassOutcomes>(),
        labels = names::<LabelOutcomes>(),
        numbers = names::<NumberOutcomes>(),
        alone = names::<Alone>(),
        novelty = names::<Novelties>(),
    )
}

fn names<O: Measured>() -> String {
    O::METRICS.iter().map(|metric| metric.about().name).collect::<Vec<_>>().join(", ")
}
