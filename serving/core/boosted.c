/* Sums of XGBoost's trees as XGBoost adds them up: in float32, tree after tree (docs/adr/0009-model-formats.md).
 *
 * The walk is that of trees.c: branch-free, WIDTH at a time, eight trees of one row or one tree of eight rows; a leaf
 * leads to itself. Semantics: XGBoost's src/predictor/predict_fn.h, src/common/categorical.h and math.h.
 */
#include <math.h>
#include <stdint.h>

enum { WIDTH = 8, MISSING_LEFT = 1, CATEGORICAL = 2, SET = 4 };
enum { IDENTITY, SIGMOID, EXPONENTIAL, SOFTMAX };

typedef struct {
    float threshold; /* a leaf's value */
    int32_t feature;
    int32_t kind; /* flags, and from SET on the index of a categorical node's set */
    int32_t child[2];
} Node;

typedef struct {
    const Node *nodes;
    const int32_t *roots;   /* by tree */
    const int32_t *depths;  /* by tree */
    const int32_t *groups;  /* by tree: the sum that it adds to */
    const int32_t *sets;    /* by set: the first word and the end of its bits */
    const uint32_t *bits;   /* the categories' codes that go right */
    const float *bases;     /* by group: where its sum begins */
    int32_t trees;
    int32_t features;
    int32_t outputs;        /* groups: one, or one a class */
    int32_t link;
} Boosted;

static inline int in_set(const Boosted *model, int32_t set, float code) {
    int32_t first = model->sets[2 * set], words = model->sets[2 * set + 1] - first;
    if (!(code >= 0.0f && code < 32.0f * (float)words)) return 0;
    uint32_t bit = (uint32_t)code;
    return (model->bits[first + bit / 32] >> (bit % 32)) & 1;
}

static inline int32_t next(const Boosted *model, int32_t at, const float *row) {
    const Node *node = model->nodes + at;
    float x = row[node->feature];
    int missing = x != x;
    int left = node->kind & CATEGORICAL ? !missing & !in_set(model, node->kind / SET, x) : x < node->threshold;
    return node->child[!(left | (missing & node->kind))];
}

static void walk_row(const Boosted *model, const float *row, float *sums) {
    for (int32_t tree = 0; tree < model->trees; tree += WIDTH) {
        int32_t at[WIDTH], depth = 0, last = model->trees - 1;
        for (int i = 0; i < WIDTH; i++) {
            int32_t one = tree + i < last ? tree + i : last;
            at[i] = model->roots[one];
            depth = depth < model->depths[one] ? model->depths[one] : depth;
        }
        for (int32_t step = 0; step < depth; step++)
            for (int i = 0; i < WIDTH; i++) at[i] = next(model, at[i], row);
        for (int i = 0; i < WIDTH && tree + i <= last; i++)
            sums[model->groups[tree + i]] += model->nodes[at[i]].threshold;
    }
}

static void walk_rows(const Boosted *model, const float *rows, float *sums) {
    for (int32_t tree = 0; tree < model->trees; tree++) {
        int32_t at[WIDTH];
        for (int i = 0; i < WIDTH; i++) at[i] = model->roots[tree];
        for (int32_t step = 0; step < model->depths[tree]; step++)
            for (int i = 0; i < WIDTH; i++) at[i] = next(model, at[i], rows + (int64_t)i * model->features);
        for (int i = 0; i < WIDTH; i++)
            sums[i * model->outputs + model->groups[tree]] += model->nodes[at[i]].threshold;
    }
}

static void softmax(float *values, int32_t count) {
    float largest = values[0];
    double total = 0.0;
    for (int32_t i = 1; i < count; i++) largest = fmaxf(largest, values[i]);
    for (int32_t i = 0; i < count; i++) total += values[i] = expf(values[i] - largest);
    for (int32_t i = 0; i < count; i++) values[i] /= (float)total;
}

static void transform(const Boosted *model, float *values) {
    if (model->link == SOFTMAX) softmax(values, model->outputs);
    if (model->link == SIGMOID) *values = 1.0f / (expf(fminf(-*values, 88.7f)) + 1.0f + 1e-16f);
    if (model->link == EXPONENTIAL) *values = expf(*values);
}

/* Scores `count` rows of `features` values each into `outputs` values a row. */
void sagestack_boosted(const Boosted *model, const float *rows, int64_t count, float *values) {
    int64_t row = 0, width = model->features, outputs = model->outputs;
    for (int64_t i = 0; i < count * outputs; i++) values[i] = model->bases[i % outputs];
    for (; row + WIDTH <= count; row += WIDTH) walk_rows(model, rows + row * width, values + row * outputs);
    for (; row < count; row++) walk_row(model, rows + row * width, values + row * outputs);
    for (row = 0; row < count; row++) transform(model, values + row * outputs);
}
