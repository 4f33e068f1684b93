/* Scores of a forest of LightGBM's trees by the leaves that are left, bit for bit LightGBM's own (docs/adr/0006).
 *
 * Where a row goes right, it reaches no leaf of the left side any more. Leaves are bits, in their order from the left:
 * once every split that sends the row right has struck out its left side, the first bit that is left is the row's leaf,
 * whatever the order of the splits (Lucchese et al., QuickScorer, SIGIR 2015). So splits stand by feature and ascend:
 * those below the row's value strike. What the first `spacing` of them strike out together, the first two times
 * `spacing`, and so on, is a row of a table; of the rest, less than `spacing`, each is looked at. No value is branched
 * on, and memory is read in order. Rows are settled as in trees.c, and are of as many values as the model has features.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { LEAVES_A_WORD = 32, LANES = 16, MOST_WORDS = 8192, MOST_FEATURES = 512 };

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

typedef struct {
    int32_t input;      /* the place in a row */
    int32_t split;      /* its first split */
    int32_t checkpoint; /* its first checkpoint: each `spacing`-th threshold */
    int32_t checkpoints;
    int32_t table;      /* its first table row: for a missing value; then with no checkpoint passed, with one, … */
    int32_t codes;      /* of a categorical feature: rows by code, the last for every other value; 0 of a numeric one */
} Feature;

typedef struct {
    const Feature *asked;      /* the features that splits ask for */
    const double *thresholds;  /* by split; `spacing` of no effect follow each feature's, so that all can be looked at */
    const double *checkpoints;
    const int32_t *places;     /* by split: the word that it strikes out of */
    const uint32_t *kept;      /* by split: what it leaves of that word */
    const uint32_t *tables;    /* rows of `words` */
    const int32_t *starts;     /* by tree: its first word */
    const double *values;      /* by leaf: LEAVES_A_WORD a word */
    int32_t trees;
    int32_t features;
    int32_t count;             /* of `asked`: at most MOST_FEATURES */
    int32_t words;             /* a multiple of LANES: at most MOST_WORDS */
    int32_t spacing;
    double sigmoid;            /* 0: the sum is the score */
} Leaves;

/* The table row of a feature's value, and the first split that must be looked at beside it, or -1. */
static inline const uint32_t *struck(const Leaves *forest, const Feature *feature, double x, int32_t *split) {
    int32_t row = 0;
    *split = -1;
    if (feature->codes) {
        row = x > -1.0 && x < (double)(feature->codes - 1) ? (int32_t)x : feature->codes - 1;
    } else if (x == x) {
        const double *checkpoints = forest->checkpoints + feature->checkpoint;
        for (int32_t i = 0; i < feature->checkpoints; i++) row += x > checkpoints[i];
        *split = feature->split + row++ * forest->spacing;
    }
    return forest->tables + (int64_t)(feature->table + row) * forest->words;
}

WIDE static double sum(const Leaves *forest, double *row) {
    uint32_t left[MOST_WORDS];
    const uint32_t *rows[MOST_FEATURES];
    int32_t splits[MOST_FEATURES];
    for (int32_t i = 0; i < forest->count; i++) {
        double *x = row + forest->asked[i].input;
        *x = fabs(*x) <= (double)1e-35f ? 0.0 : *x;
        rows[i] = struck(forest, forest->asked + i, *x, splits + i);
    }
    for (int32_t word = 0; word < forest->words; word += LANES) {
        uint32_t some[LANES];
        memset(some, 0xff, sizeof some);
        for (int32_t i = 0; i < forest->count; i++)
            for (int lane = 0; lane < LANES; lane++) some[lane] &= rows[i][word + lane];
        memcpy(left + word, some, sizeof some);
    }
    for (int32_t i = 0; i < forest->count; i++) {
        if (splits[i] < 0) continue;
        double x = row[forest->asked[i].input];
        for (int32_t split = splits[i]; split < splits[i] + forest->spacing; split++)
            left[forest->places[split]] &= forest->kept[split] | -(uint32_t) !(x > forest->thresholds[split]);
    }
    double total = 0.0;
    for (int32_t tree = 0; tree < forest->trees; tree++) {
        int32_t word = forest->starts[tree];
        while (!left[word]) word++;
        total += forest->values[word * LEAVES_A_WORD + __builtin_ctz(left[word])];
    }
    return total;
}

/* Scores `count` rows; like sagestack_walk. */
void sagestack_leaves(const Leaves *forest, double *rows, int64_t count, double *scores) {
    for (int64_t row = 0; row < count; row++) {
        double total = sum(forest, rows + row * forest->features);
        scores[row] = forest->sigmoid ? 1.0 / (1.0 + exp(-forest->sigmoid * total)) : total;
    }
}
