# Prints a LightGBM model of 500 trees of depth 6 with made-up splits, as its text format
# has it (decision_type 8: a missing value is NaN and goes right): what
# a site's own trained model costs. Of no clinical use.
BEGIN {
    srand(1)
    n_features = split("age medicines_12m emergency_admissions_12m " \
        "emergency_admissions_year_before ae_attendances_12m efi_deficits imd_decile", name, " ")
    split("100 20 4 4 6 15 10", most, " ")
    n_trees = 500
    n_leaves = 64
    print "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0"
    print "max_feature_idx=" n_features - 1
    print "objective=binary sigmoid:1"
    printf "feature_names="
    for (f = 1; f <= n_features; f++) printf "%s%s", name[f], f < n_features ? " " : "\n"
    printf "feature_infos="
    for (f = 1; f <= n_features; f++) printf "[0:%d]%s", most[f], f < n_features ? " " : "\n"
    for (t = 0; t < n_trees; t++) print_tree(t)
    print "\nend of trees\n\nparameters:\n[boosting: gbdt]\nend of parameters"
}

# Node i has the children 2i + 1 and 2i + 2; from n_leaves - 1 on they are leaves.
function child(i) { return i < n_leaves - 1 ? i : -(i - n_leaves + 2) }

function print_tree(t,   i, f, feature, threshold, type, left, right, value) {
    for (i = 0; i < n_leaves - 1; i++) {
        f = 1 + int(n_features * rand())
        feature = feature " " f - 1
        threshold = threshold " " int(most[f] * rand()) + 0.5
        type = type " 8"
        left = left " " child(2 * i + 1)
        right = right " " child(2 * i + 2)
    }
    for (i = 0; i < n_leaves; i++) value = value " " (rand() - 0.5) / 100
    printf "\nTree=%d\nnum_leaves=%d\nnum_cat=0\nsplit_feature=%s\nthreshold=%s\n", t, n_leaves,
        substr(feature, 2), substr(threshold, 2)
    printf "decision_type=%s\nleft_child=%s\nright_child=%s\nleaf_value=%s\n", substr(type, 2),
        substr(left, 2), substr(right, 2), substr(value, 2)
    printf "is_linear=0\nshrinkage=1\n\n"
}
