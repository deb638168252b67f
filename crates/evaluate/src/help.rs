//! The long help: metrics stand there as the catalogues have them.

use metrics::{Alone, ClassOutcomes, LabelOutcomes, Measured, NumberOutcomes, OpenSet};

use crate::novelty::Novelties;

/// What `--help` begins with.
pub(crate) fn long() -> String {
    format!(
        "Writes a metrics table of a head on cached features.\n\n\
         Reads a folder NAME.features that extract wrote and a NAME.head that fit-head wrote. They must agree in network, \
         weights, tap and preprocessing. Classes are matched by name. Rows of classes that the head does not know are left \
         out, counted and named; --unknown says otherwise.\n\n\
         Writes one long table to Parquet, CSV or JSON by extension. Its columns are split, scope, metric, class, value, \
         ci_low, ci_high, n.\n\n\
         Scopes:\n\
         \x20 overall             All rows of the split; class is null.\n\
         \x20 class               One class, label or number by itself.\n\
         \x20 confusion           Rows of a true class that were predicted as another, or as itself.\n\
         \x20                     Metrics are named `confusion:PREDICTED`.\n\
         \x20 slice:COLUMN=VALUE  Rows that share a value. Metrics are those of `overall` without ranking.\n\
         \x20 difference          Figures less the baseline's, and of classes mcnemar_p_value.\n\
         \x20 deviation, draw:I   With --protocol, whose means are `overall`.\n\n\
         Metrics of classes: {classes}.\n\n\
         Metrics of labels: {labels}.\n\n\
         Metrics of numbers, of several their means: {numbers}.\n\n\
         Metrics of one class or label: {alone}.\n\n\
         Metrics of heads that know novelty: {novelty}.\n\n\
         Metrics where there are rows of classes that the head does not know: {unknown}. All but unknown_rows are those of \
         --unknown reject. unknown_roc_auc says how well distance, or without it confidence, tells them from others.\n\n\
         top_5_accuracy needs more than 5 classes. coverage_at_reject and accuracy_at_reject need a reject threshold, the others of that name thresholds of labels. \
         log_loss is in nats. ece has 15 bins of equal width, ece_equal_mass 15 of equal rows. aurc is the area under risk \
         over coverage. Losses of one class are those of labels alone.\n\n\
         Metrics are scikit-learn's, with labels=all classes and zero_division=0. What is undefined is null. Recall and F1 of a \
         class without rows are. Macro averages are those of labels=the classes that have rows.\n\n\
         ci_low and ci_high are the 95 % interval of the value that endless rows with these shares of classes would have. \
         In simulations it held that value 94 % of the time or more, also where a class has one row (ACCURACY.md).\n\n\
         Losses and errors have no bound. One is assumed, and rare ones beyond it are not covered. max_error has no interval. \
         That of r2_score and explained_variance_score takes 20 rows, that of median_absolute_error 6.\n\n\
         n is the number of rows a value is taken over. Those are the split's, or the class's. For precision they are the rows \
         predicted as the class.\n\n\
         What is so of a sample is read as it was for the fit. It stands in the columns of --manifest where that has \
         them, else in the features.\n\n\
         Prints a summary on stdout. Its layout may change, so programs should read the table.",
        classes = names::<ClassOutcomes>(),
        labels = names::<LabelOutcomes>(),
        numbers = names::<NumberOutcomes>(),
        alone = names::<Alone>(),
        novelty = names::<Novelties>(),
        unknown = names::<OpenSet>(),
    )
}

fn names<O: Measured>() -> String {
    O::METRICS.iter().map(|metric| metric.about().name).collect::<Vec<_>>().join(", ")
}
