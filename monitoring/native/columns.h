/* Whole columns of numbers, a missing value being NaN: rows below edges, and the moments of `monitoring.moments`.
 *
 * Columns are walked in blocks that stay in the processor's nearest cache, by loops that are compiled to the widest
 * instructions that the processor may have. Whole numbers are added, so nothing is rounded, however a window is cut.
 */
#ifndef COLUMNS_H
#define COLUMNS_H
#include <stdint.h>

#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__) && __GNUC__ >= 12 && !defined(__SANITIZE_ADDRESS__)
#define WIDEST __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define WIDEST
#endif

enum { BLOCK_ROWS = 2048, LANES = 8 };

typedef double Numbers __attribute__((vector_size(8 * LANES), aligned(8)));
typedef int64_t Lanes __attribute__((vector_size(8 * LANES)));

static inline int64_t least(int64_t one, int64_t other) { return one < other ? one : other; }

/* For each edge, how many numbers do not lie above it; a missing one lies above infinity too. */
WIDEST void columns_at_most(const double *column, int64_t rows, const double *edges, int64_t count, int64_t *found) {
    for (int64_t edge = 0; edge < count; edge++) found[edge] = 0;
    for (int64_t start = 0; start < rows; start += BLOCK_ROWS)
        for (int64_t edge = 0; edge < count; edge++) {
            const double bound = edges[edge], *at = column + start;
            const double *end = at + least(rows - start, BLOCK_ROWS);
            Lanes hits = {0}; /* a comparison is -1 where it holds */
            for (; end - at >= LANES; at += LANES) hits -= *(const Numbers *)at <= bound;
            for (; at < end; at++) found[edge] += *at <= bound;
            for (int lane = 0; lane < LANES; lane++) found[edge] += hits[lane];
        }
}

/* Steps from the mean, held within reach; a missing value lies at the mean. */
WIDEST void columns_scores(const double *column, int64_t rows, double mean, double steps, double reach, int16_t *scores) {
    /* Added and taken away again, it leaves the nearest whole number, halves to the even one, as `rint` does. */
    const double whole = 0x1.8p52;
    for (int64_t row = 0; row < rows; row++) {
        double score = (column[row] - mean) * steps;
        score = score > reach ? reach : score;
        score = score < -reach ? -reach : score;
        score = score != score ? 0 : score;
        scores[row] = (int16_t)(int32_t)((score + whole) - whole);
    }
}

/* A block's sum of products: far below 2^31, for scores are held within reach. */
WIDEST int32_t columns_product(const int16_t *one, const int16_t *other, int64_t rows) {
    int32_t sum = 0;
    for (int64_t row = 0; row < rows; row++) sum += (int32_t)one[row] * other[row];
    return sum;
}

typedef struct {
    const double *const *columns;
    const double *means, *steps;
    int16_t *scores;    /* room for a block of each feature */
    int64_t *sums, *products;
    double reach;
    int64_t features, rows;
} Moments;

/* Adds to `sums` (a feature each) and `products` (features by features). */
void columns_moments(const Moments *to) {
    static const int16_t ones[BLOCK_ROWS] = {[0 ... BLOCK_ROWS - 1] = 1};
    for (int64_t start = 0; start < to->rows; start += BLOCK_ROWS) {
        int64_t size = least(to->rows - start, BLOCK_ROWS);
        for (int64_t one = 0; one < to->features; one++) {
            int16_t *scores = to->scores + one * BLOCK_ROWS;
            columns_scores(to->columns[one] + start, size, to->means[one], to->steps[one], to->reach, scores);
            to->sums[one] += columns_product(scores, ones, size);
            for (int64_t other = 0; other <= one; other++)
                to->products[one * to->features + other] +=
                    columns_product(scores, to->scores + other * BLOCK_ROWS, size);
        }
    }
    for (int64_t one = 0; one < to->features; one++)
        for (int64_t other = 0; other < one; other++)
            to->products[other * to->features + one] = to->products[one * to->features + other];
}

#endif
