#include "identity/identity.h"
#include "support.h"

#include <stdlib.h>

Test(policy, whatever_a_verdict_depends_on_changes_the_digest) {
    struct trust *trust = trust_create(), *same = trust_create(), *other = trust_create(), *both = trust_create();
    support_add_root(trust, CORPUS, "roots/root.pem");
    support_add_root(same, CORPUS, "roots/root.pem");
    support_add_root(other, CORPUS, "roots/other.pem");
    support_add_root(both, CORPUS, "roots/root.pem");
    support_add_root(both, CORPUS, "roots/other.pem");
    struct forward_header status[] = {{.name = (char *)"X-Status", .field = {.kind = FIELD_STATUS}}};
    struct forward_header renamed[] = {{.name = (char *)"X-Statu", .field = {.kind = FIELD_STATUS}}};
    struct forward_header ski[] = {{.name = (char *)"X-Status", .field = {.kind = FIELD_SKI}}};
    struct forward_header twice[] = {status[0], {.name = (char *)"X-SKI", .field = {.kind = FIELD_SKI}}};
    struct forward_header cn[] = {
        {.name = (char *)"X-Status", .field = {.kind = FIELD_SUBJECT_ATTRIBUTE, .oid = {0x55, 4, 3}, .oid_size = 3}}};
    struct forward_header o[] = {
        {.name = (char *)"X-Status", .field = {.kind = FIELD_SUBJECT_ATTRIBUTE, .oid = {0x55, 4, 10}, .oid_size = 3}}};
    struct template_fault fault;
    struct forward_header text[] = {{.name = (char *)"X-Status", .template = template_parse("{status}", &fault)}};
    struct forward_header longer[] = {{.name = (char *)"X-Status", .template = template_parse("{status}.", &fault)}};
    struct forward_header plain[] = {status[0], {.name = (char *)"X-Env", .template = template_parse("prod", &fault)}};
    const struct forward forwards[] = {{status, 1}, {renamed, 1}, {ski, 1},  {twice, 2},
                                       {cn, 1},     {o, 1},       {text, 1}, {longer, 1}};
    struct identity_policy policies[] = {
        {.trust = trust, .depth_max = 4, .forward = &forwards[0]},
        {.trust = other, .depth_max = 4, .forward = &forwards[0]},
        {.trust = both, .depth_max = 4, .forward = &forwards[0]},
        {.trust = trust, .depth_max = 5, .forward = &forwards[0]},
        {.trust = trust, .depth_max = 4, .forward = &forwards[1]},
        {.trust = trust, .depth_max = 4, .forward = &forwards[2]},
        {.trust = trust, .depth_max = 4, .forward = &forwards[3]},
        {.trust = trust, .depth_max = 4, .forward = &forwards[4]},
        {.trust = trust, .depth_max = 4, .forward = &forwards[5]},
        {.trust = NULL, .depth_max = 4, .forward = &forwards[0]},
        {.trust = trust, .depth_max = 4, .forward = &forwards[6]},
        {.trust = trust, .depth_max = 4, .forward = &forwards[7]},
        {.trust = trust, .depth_max = 4, .forward = &forwards[0], .answers = &forwards[0]},
        {.trust = trust, .depth_max = 4, .forward = &forwards[0], .answers = &forwards[6]},
    };
    enum { COUNT = sizeof policies / sizeof policies[0] };
    for (size_t i = 0; i < COUNT; i++) {
        identity_policy_seal(&policies[i]);
        for (size_t j = 0; j < i; j++) {
            cr_assert_neq(memcmp(policies[i].digest, policies[j].digest, IDENTITY_DIGEST_SIZE), 0, "%zu and %zu", j, i);
        }
    }
    struct identity_policy again = {.trust = same, .depth_max = 4, .forward = &forwards[0]};
    identity_policy_seal(&again);
    cr_assert_eq(memcmp(again.digest, policies[0].digest, IDENTITY_DIGEST_SIZE), 0, "the same content");
    const struct forward constants = {plain + 1, 1};
    const struct forward with_constant = {plain, 2};
    struct identity_policy lines = {.trust = same, .depth_max = 4, .forward = &with_constant, .answers = &constants};
    identity_policy_seal(&lines);
    cr_assert_eq(memcmp(lines.digest, policies[0].digest, IDENTITY_DIGEST_SIZE), 0, "no identity has constant lines");
    free(text[0].template);
    free(longer[0].template);
    free(plain[1].template);
    trust_free(trust);
    trust_free(same);
    trust_free(other);
    trust_free(both);
}
