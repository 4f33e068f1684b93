/* Scores of a forest of LightGBM's trees, bit for bit LightGBM's own (docs/adr/0006-serving-stack.md).
 *
 * Branch-free walks, WIDTH at a time: eight trees of one row, or one tree of eight rows, so that the processor works on
 * one while it waits for the memory of another. A walk goes on for the depth of its tree; a leaf leads to itself.
 * Semantics: LightGBM's include/LightGBM/tree.h, NumericalDecision and CategoricalDecision.
 */
#include <math.h>
#include <stdint.h>

enum { WIDTH = 8, NAN_LEFT = 1, CATEGORICAL = 2 };

typedef struct {
    double threshold;
    int32_t feature;
    int32_t kind; /* 0, NAN_LEFT or CATEGORICAL; the threshold of the last is an index into sets */
    int32_t child[2];
} Node;

typedef struct {
    const Node *nodes;
    const double *values;   /* by node: a leaf's value */
    const int32_t *roots;   /* by tree */
    const int32_t *depths;  /* by tree */
    const int32_t *sets;    /* by categorical node: first word and end of its bits */
    const uint32_t *bits;
    int32_t trees;
    int32_t features;
    int32_t categorical;    /* whether any node is */
    double sigmoid;         /* 0: the sum is the score */
} Forest;

static inline int in_set(const Forest *forest, int32_t set, double code) {
    int32_t first = forest->sets[2 * set], words = forest->sets[2 * set + 1] - first;
    if (!(code > -1.0 && code < 32.0 * words)) return 0; /* NaN too */
    uint32_t bit = (uint32_t)(int32_t)code;
    return (forest->bits[first + bit / 32] >> (bit % 32)) & 1;
}

static inline int32_t next(const Forest *forest, int32_t at, const double *row, int categorical) {
    const Node *node = forest->nodes + at;
    double x = row[node->feature];
    if (categorical && node->kind == CATEGORICAL) return node->child[!in_set(forest, (int32_t)node->threshold, x)];
    return node->child[!((x <= node->threshold) | ((x != x) & node->kind))];
}

static inline double score_one(const Forest *forest, const double *row, int categorical) {
    double sum = 0.0;
    for (int32_t tree = 0; tree < forest->trees; tree += WIDTH) {
        int32_t at[WIDTH], depth = 0, last = forest->trees - 1;
        for (int i = 0; i < WIDTH; i++) {
            int32_t one = tree + i < last ? tree + i : last;
            at[i] = forest->roots[one];
            depth = depth < forest->depths[one] ? forest->depths[one] : depth;
        }
        for (int32_t step = 0; step < depth; step++)
            for (int i = 0; i < WIDTH; i++) at[i] = next(forest, at[i], row, categorical);
        for (int i = 0; i < WIDTH && tree + i <= last; i++) sum += forest->values[at[i]];
    }
    return sum;
}

static inline void score_eight(const Forest *forest, const double *rows, double *sums, int categorical) {
    for (int i = 0; i < WIDTH; i++) sums[i] = 0.0;
    for (int32_t tree = 0; tree < forest->trees; tree++) {
        int32_t at[WIDTH];
        for (int i = 0; i < WIDTH; i++) at[i] = forest->roots[tree];
        for (int32_t step = 0; step < forest->depths[tree]; step++)
            for (int i = 0; i < WIDTH; i++) at[i] = next(forest, at[i], rows + i * forest->features, categorical);
        for (int i = 0; i < WIDTH; i++) sums[i] += forest->values[at[i]];
    }
}

static void sum_up(const Forest *forest, const double *rows, int64_t count, double *scores) {
    int64_t row = 0;
    if (forest->categorical) {
        for (; row + WIDTH <= count; row += WIDTH) score_eight(forest, rows + row * forest->features, scores + row, 1);
        for (; row < count; row++) scores[row] = score_one(forest, rows + row * forest->features, 1);
    } else {
        for (; row + WIDTH <= count; row += WIDTH) score_eight(forest, rows + row * forest->features, scores + row, 0);
        for (; row < count; row++) scores[row] = score_one(forest, rows + row * forest->features, 0);
    }
}

/* Scores `count` rows of `features` values each; the rows are changed: what LightGBM takes for zero becomes zero. */
void sagestack_score(const Forest *forest, double *rows, int64_t count, double *scores) {
    for (int64_t i = 0; i < count * forest->features; i++) rows[i] = fabs(rows[i]) <= (double)1e-35f ? 0.0 : rows[i];
    sum_up(forest, rows, count, scores);
    if (forest->sigmoid)
        for (int64_t i = 0; i < count; i++) scores[i] = 1.0 / (1.0 + exp(-forest->sigmoid * scores[i]));
}

/* Scores one row, which is changed likewise. */
double sagestack_score_row(const Forest *forest, double *row) {
    double score;
    sagestack_score(forest, row, 1, &score);
    return score;
}
