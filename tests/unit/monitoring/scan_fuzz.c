/* Damaged capture files through the compiled reader, each in memory that ends where the text does: the sanitizers that
 * this is compiled with stop at the first byte read or written out of place. Usage: scan_fuzz ROUNDS SEED. */
#include <stdio.h>

#include "scan.c"

enum { CAPACITY = 4, FIELDS = 4, LONGEST = 4096 };

static const char *const RECORDS[] = {
    "{\"captureData\":{\"endpointInput\":{\"observedContentType\":\"text/csv\",\"mode\":\"INPUT\",\"data\":\"1.5,AA,-2e-05,UA\","
    "\"encoding\":\"CSV\"},\"endpointOutput\":{\"data\":\"0.123456789012345678\\n\",\"encoding\":\"CSV\"}},\"eventMetadata\":{"
    "\"eventId\":\"0123456789abcdef\",\"inferenceTime\":\"2013-04-10T12:00:00Z\"},\"eventVersion\":\"0\"}",
    "{\"captureData\":{\"endpointInput\":{\"data\":\"1,AA,2,\\r\\n,rare,0.00000000000000000001,new\\n\",\"encoding\":\"CSV\"},"
    "\"endpointOutput\":{\"data\":\"1\\n0.5\\n\",\"encoding\":\"CSV\"}},\"eventMetadata\":{\"inferenceTime\":"
    "\"2013-04-01T00:00:00Z\",\"more\":[[\"a\"],{\"b\":{}}]}}",
    "{\"captureData\":{\"endpointInput\":{\"data\":\"1,A,2,B\\n1,A,2,B\\n1,A,2,B\\n1,A,2,B\\n1,A,2,B\",\"encoding\":\"CSV\"}},"
    "\"eventMetadata\":{\"eventId\":\"\",\"inferenceTime\":\"2013-03-31T23:59:59Z\"},\"eventVersion\":\"0\"}",
};
static const char PIECES[] = "\"\\{}[]:,.-+eE0159nr \t\n\r\x80\xff";

static uint64_t state;

static uint64_t chance(uint64_t below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

/* Some records, of which bytes were changed, left out, doubled or cut off. */
static int64_t damaged(char *text) {
    int64_t size = 0;
    for (uint64_t lines = 1 + chance(4); lines; lines--)
        size += sprintf(text + size, "%s\n", RECORDS[chance(sizeof RECORDS / sizeof *RECORDS)]);
    for (uint64_t wounds = chance(6); wounds && size; wounds--) {
        int64_t at = (int64_t)chance(size), length = (int64_t)chance(16) + 1;
        if (at + length > size) length = size - at;
        switch (chance(4)) {
        case 0: text[at] = (char)chance(256); break;
        case 1: text[at] = PIECES[chance(sizeof PIECES - 1)]; break;
        case 2: memmove(text + at, text + at + length, size - at - length); size -= length; break;
        default: memmove(text + at + length, text + at, size - at); size += length;
        }
    }
    return chance(8) ? size : (int64_t)chance(size + 1);
}

static void require(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "%s does not hold\n", what);
    abort();
}

static void read_all(const Layout *layout, const char *text, int64_t size) {
    for (int64_t at = 0; at < size;) {
        double *numbers = malloc(3 * CAPACITY * sizeof *numbers);
        int32_t *codes = malloc(2 * CAPACITY * sizeof *codes);
        uint64_t *ids = malloc(CAPACITY * sizeof *ids);
        int64_t *rows = malloc(CAPACITY * sizeof *rows), *rest = malloc(2 * CAPACITY * sizeof *rest);
        Columns to = {numbers, codes, ids, rows, rest, CAPACITY, 0, 0, 0, 0};
        int64_t read = scan(layout, &to, text + at, size - at), counted = 0;
        require(read > 0 && read <= size - at, "scan reads something, and nothing beyond the end");
        for (int64_t record = 0; record < to.used; record++) counted += rows[record];
        require(counted == to.row && to.row <= CAPACITY, "the records' rows are the rows");
        for (int64_t row = 0; row < to.row; row++)
            require(codes[row] >= 0 && codes[row] < 5 && codes[CAPACITY + row] >= 0, "a category is in one of its bins");
        for (int64_t line = 0; line < to.handed_back; line++)
            require(rest[2 * line] <= rest[2 * line + 1] && rest[2 * line + 1] <= read, "a line is of the text");
        at += read;
        free(numbers), free(codes), free(ids), free(rows), free(rest);
    }
}

/* Columns of any length, in memory that ends where they do, against what a plain loop says. */
static void sum_columns(void) {
    enum { EDGES = 3, FEATURES = 2 };
    int64_t rows = (int64_t)chance(chance(20) ? 20 : 2 * BLOCK_ROWS + 20), at_most[EDGES], expected[EDGES] = {0};
    int64_t sums[FEATURES] = {0}, products[FEATURES * FEATURES] = {0};
    const double edges[EDGES] = {-1, 2, INFINITY}, means[FEATURES] = {0, 1}, steps[FEATURES] = {32, INFINITY};
    double *column = malloc((rows ? rows : 1) * sizeof *column);
    int16_t *scores = malloc(FEATURES * BLOCK_ROWS * sizeof *scores);
    for (int64_t row = 0; row < rows; row++) {
        column[row] = chance(8) ? (double)chance(9) - 4 : chance(2) ? NAN : INFINITY;
        for (int edge = 0; edge < EDGES; edge++) expected[edge] += column[row] <= edges[edge];
    }
    columns_at_most(column, rows, edges, EDGES, at_most);
    require(!memcmp(at_most, expected, sizeof expected), "rows are counted below each edge");
    const double *columns[FEATURES] = {column, column};
    columns_moments(&(Moments){columns, means, steps, scores, sums, products, 96, FEATURES, rows});
    require(products[1] == products[2] && products[0] <= rows * 96 * 96, "products are symmetric, of scores within reach");
    free(column), free(scores);
}

int main(int count, char **given) {
    static const int32_t places[FIELDS] = {0, -1, 1, -2}, bins[] = {0, 1, 2};
    static const int64_t bounds[] = {0, 2, 4, 8};
    static int32_t slots[8];
    Categories categories[] = {{"AAUArare", bounds, bins, slots, 7, 3, 4}, {"AAUArare", bounds, bins, slots, 7, 3, 4}};
    Layout layout = {places, categories, {"a,b,c,d", 7}, "", "", FIELDS, 2};
    memcpy(layout.start, "2013-04-01T00:00:00Z", TIME_CHARS);
    memcpy(layout.end, "2013-05-01T00:00:00Z", TIME_CHARS);
    scan_index(categories, 3);
    state = count > 2 ? strtoull(given[2], NULL, 10) : 1;
    for (long round = count > 1 ? atol(given[1]) : 1000; round; round--) {
        char text[LONGEST];
        int64_t size = damaged(text);
        char *exact = malloc(size ? size : 1);
        memcpy(exact, text, size);
        read_all(&layout, exact, size);
        free(exact);
        sum_columns();
    }
    return 0;
}
