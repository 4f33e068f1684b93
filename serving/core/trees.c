/* Scores of a forest of LightGBM's trees, bit for bit LightGBM's own (docs/adr/0006-serving-stack.md).
 *
 * Branch-free walks, WIDTH at a time: eight trees of one row, or one tree of eight rows, so that the processor works on
 * one while it waits for the memory of another. A walk goes on for the depth of its tree, of the deepest where eight go
 * together (so they go by depth); a leaf leads to itself. Siblings lie side by side, the right one after the left.
 * It serves the forests that leaves.c would take longer for: of many features, or of very many leaves.
 * Semantics: LightGBM's include/LightGBM/tree.h, NumericalDecision and CategoricalDecision.
 */
#include <math.h>
#include <stdint.h>

enum { WIDTH = 8, BLOCK = 256, NAN_LEFT = 1, CATEGORICAL = 2, KIND_BITS = 2 };

/* What a walk must look out for: the less, the faster. */
enum { NUMBERS, MISSING, CATEGORIES };

typedef struct {
    double threshold; /* of a categorical split: an index into sets */
    uint32_t test;    /* the feature, and below it KIND_BITS of kind: 0, NAN_LEFT or CATEGORICAL */
    int32_t left;
} Node;

typedef struct {
    const Node *nodes;
    const double *values;   /* by node: a leaf's value */
    const int32_t *roots;   /* by tree */
    const int32_t *depths;  /* by tree */
    const int32_t *order;   /* the trees of each BLOCK, the deepest last */
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

static inline int32_t next(const Forest *forest, int32_t at, const double *row, int watch) {
    const Node *node = forest->nodes + at;
    double x = row[node->test >> KIND_BITS];
    if (watch == NUMBERS) return node->left + (x > node->threshold);
    if (watch == CATEGORIES && node->test & CATEGORICAL)
        return node->left + !in_set(forest, (int32_t)node->threshold, x);
    return node->left + !((x <= node->threshold) | ((x != x) & node->test));
}

static inline double score_one(const Forest *forest, const double *row, int watch) {
    double sum = 0.0, found[BLOCK];
    for (int32_t first = 0; first < forest->trees; first += BLOCK) {
        int32_t end = forest->trees - first < BLOCK ? forest->trees : first + BLOCK;
        for (int32_t place = first; place < end; place += WIDTH) {
            const int32_t *trees = forest->order + place;
            int32_t at[WIDTH], last = end - place < WIDTH ? end - place - 1 : WIDTH - 1;
            for (int i = 0; i < WIDTH; i++) at[i] = forest->roots[trees[i < last ? i : last]];
            for (int32_t step = forest->depths[trees[last]]; step > 0; step--)
                for (int i = 0; i < WIDTH; i++) at[i] = next(forest, at[i], row, watch);
            for (int i = 0; i <= last; i++) found[trees[i] - first] = forest->values[at[i]];
        }
        for (int32_t tree = first; tree < end; tree++) sum += found[tree - first];
    }
    return sum;
}

static inline void score_eight(const Forest *forest, const double *rows, double *sums, int watch) {
    for (int i = 0; i < WIDTH; i++) sums[i] = 0.0;
    for (int32_t tree = 0; tree < forest->trees; tree++) {
        int32_t at[WIDTH];
        for (int i = 0; i < WIDTH; i++) at[i] = forest->roots[tree];
        for (int32_t step = forest->depths[tree]; step > 0; step--)
            for (int i = 0; i < WIDTH; i++) at[i] = next(forest, at[i], rows + i * forest->features, watch);
        for (int i = 0; i < WIDTH; i++) sums[i] += forest->values[at[i]];
    }
}

static inline void score_some(const Forest *forest, const double *rows, int count, double *sums, int watch) {
    if (count == WIDTH) score_eight(forest, rows, sums, watch);
    else *sums = score_one(forest, rows, watch);
}

/* Makes zero what LightGBM takes for it; whether a value is missing. */
static int settle(double *values, int64_t count) {
    int missing = 0;
    for (int64_t i = 0; i < count; i++) {
        values[i] = fabs(values[i]) <= (double)1e-35f ? 0.0 : values[i];
        missing |= values[i] != values[i];
    }
    return missing;
}

/* Scores `count` rows of `features` values each; the rows are changed: what LightGBM takes for zero becomes zero. */
void sagestack_walk(const Forest *forest, double *rows, int64_t count, double *scores) {
    for (int64_t row = 0; row < count;) {
        int some = count - row < WIDTH ? 1 : WIDTH;
        double *from = rows + row * forest->features;
        int missing = settle(from, (int64_t)some * forest->features);
        if (forest->categorical) score_some(forest, from, some, scores + row, CATEGORIES);
        else if (missing) score_some(forest, from, some, scores + row, MISSING);
        else score_some(forest, from, some, scores + row, NUMBERS);
        row += some;
    }
    if (forest->sigmoid)
        for (int64_t i = 0; i < count; i++) scores[i] = 1.0 / (1.0 + exp(-forest->sigmoid * scores[i]));
}
