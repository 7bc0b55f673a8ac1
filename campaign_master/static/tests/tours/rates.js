import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");
const FOOTER = ".o_list_footer";

function row(title) {
    return `.o_data_row:contains('${title}')`;
}

function select(title) {
    return { trigger: `${row(title)} .o_list_record_selector input`, run: "click" };
}

/** The footer of a list divides the sums of the rows: of all, of the selected, of all groups. */
tours.add("campaign_master_rates_list", {
    steps: () => [
        {
            content: "A campaign that was not sent has no rate",
            trigger: `${row("Draft")} [name=campaign_master_open_rate]:contains(/^–$/)`,
        },
        { trigger: `${row("Large")} [name=campaign_master_open_rate]:contains(/^0.00$/)` },
        {
            content: "10 of 10 and 0 of 990 are 1 %",
            trigger: `${FOOTER} [data-tooltip='Weighted average']:contains(/^1.00$/)`,
        },
        select("Small"),
        select("Draft"),
        { trigger: `${FOOTER} [data-tooltip='Weighted average']:contains(/^100.00$/)` },
        select("Small"),
        {
            content: "Campaigns that were not sent have no rate together either",
            trigger: `${FOOTER}:not(:has([data-tooltip='Weighted average']))`,
        },
        select("Draft"),
        { trigger: `${FOOTER} [data-tooltip='Weighted average']:contains(/^1.00$/)` },
        { trigger: ".o_searchview_dropdown_toggler", run: "click" },
        { trigger: ".o_group_by_menu .o_menu_item:contains(/^State$/)", run: "click" },
        {
            content: "A group is weighted by the server, and one without sent campaigns is empty",
            trigger: ".o_group_header:contains('Sent (2)') .o_list_number:contains(/^1.00$/)",
        },
        { trigger: ".o_group_header:contains('Draft (1)'):not(:contains('0.00'))" },
        { trigger: `${FOOTER} [data-tooltip='Weighted average']:contains(/^1.00$/)` },
        { trigger: ".o_group_header:contains('Sent (2)')", run: "click" },
        select("Small"),
        { trigger: `${FOOTER} [data-tooltip='Weighted average']:contains(/^100.00$/)` },
    ],
});

function card(title) {
    return `.o_kanban_record:contains('${title}')`;
}

/** Figures that Campaign Master does not report are dashes, and in no footer. */
tours.add("campaign_master_unreported_list", {
    steps: () => [
        { trigger: `${row("Partial")} [name=campaign_master_sent]:contains(/^1,000$/)` },
        { trigger: `${row("Partial")} [name=campaign_master_open_rate]:contains(/^–$/)` },
        { trigger: `${row("Draft")} [name=campaign_master_sent]:contains(/^–$/)` },
        { trigger: `${FOOTER} [data-tooltip=Total]:contains(/^2,000$/)` },
        {
            content: "Its emails do not count where its opens are unknown",
            trigger: `${FOOTER} [data-tooltip='Weighted average']:contains(/^1.00$/)`,
        },
        select("Draft"),
        {
            content: "Of nothing but unknown figures, there is no sum",
            trigger: `${FOOTER}:not(:has([data-tooltip=Total]))`,
        },
        select("Partial"),
        { trigger: `${FOOTER} [data-tooltip=Total]:contains(/^1,000$/)` },
        { trigger: `${FOOTER}:not(:has([data-tooltip='Weighted average']))` },
        select("Partial"),
        select("Draft"),
        { trigger: ".o_searchview_dropdown_toggler", run: "click" },
        { trigger: ".o_group_by_menu .o_menu_item:contains(/^State$/)", run: "click" },
        { trigger: ".o_group_header:contains('Sent (3)') .o_list_number:contains(/^1.00$/)" },
        { trigger: ".o_group_header:contains('Draft (1)'):not(:contains('0'))" },
        { trigger: `${FOOTER} [data-tooltip='Weighted average']:contains(/^1.00$/)` },
        { trigger: `${FOOTER} [data-tooltip=Total]:contains(/^2,000$/)` },
    ],
});

tours.add("campaign_master_unreported_cards", {
    steps: () => [
        { trigger: `${card("Partial")} [name=campaign_master_open_rate]:contains('–')` },
        { trigger: `${card("Partial")} [name=campaign_master_clicked_rate]:contains('–')` },
        { trigger: `${card("Partial")} [name=campaign_master_delivered_rate]:contains('99.7%')` },
        { trigger: `${card("Large")} [name=campaign_master_open_rate]:contains(/0%$/)` },
        { trigger: `${card("Draft")}:not(:has([name=campaign_master_open_rate]))` },
    ],
});

tours.add("campaign_master_unreported_form", {
    steps: () => [
        { trigger: "a[name=campaign_master_statistics]", run: "click" },
        { trigger: "[name=campaign_master_sent]:contains(/^1,000$/)" },
        { trigger: "[name=campaign_master_total_bounces]:contains(/^3$/)" },
        { trigger: "[name=campaign_master_successful]:contains(/^997$/)" },
        { trigger: "[name=campaign_master_bounce_rate]:contains(/^0.30$/)" },
        { trigger: "[name=campaign_master_unique_opens]:contains(/^–$/)" },
        { trigger: "[name=campaign_master_open_rate]:contains(/^–$/)" },
        { trigger: "details summary:contains('More metrics')", run: "click" },
        { trigger: "[name=campaign_master_opens]:contains(/^0$/)" },
        { trigger: "[name=campaign_master_delivered]:contains(/^–$/)" },
        { trigger: "[name=campaign_master_hard_bounces]:contains(/^–$/)" },
    ],
});

/** A badge shows the state; a status that Odoo does not know is shown as it is. */
tours.add("campaign_master_state", {
    steps: () => [
        { trigger: ".o_kanban_record:contains('Small') .badge:contains('Sent')" },
        { trigger: `${card("Small")} [name=campaign_master_open_rate]:contains('100.0%')` },
        { trigger: `${card("Large")} [name=campaign_master_clicked_rate]:contains(/0%$/)` },
        { trigger: ".o_kanban_record:contains('Draft') .badge:contains('Draft')" },
        { trigger: ".o_kanban_record:contains('Draft'):not(:contains('Opened'))" },
        { trigger: ".o_kanban_record:contains('Waits') .badge:contains('scheduled')" },
        { trigger: ".o_kanban_record:contains('Not Ours'):not(:has([name=campaign_master_state]))" },
    ],
});

/** Internal fields are not offered in custom filters and groups. */
tours.add("campaign_master_custom_filter", {
    steps: () => [
        { trigger: ".o_searchview_dropdown_toggler", run: "click" },
        { trigger: ".o_filter_menu .o_add_custom_filter", run: "click" },
        { trigger: ".modal .o_model_field_selector", run: "click" },
        {
            trigger: ".o_model_field_selector_popover_search input",
            run: "edit Campaign Master",
        },
        {
            trigger:
                ".o_model_field_selector_popover:has([data-name=campaign_master_state]):not(:has([data-name=campaign_master_company_id]))",
        },
        { trigger: ".o_model_field_selector_popover_close", run: "click" },
        { trigger: ".modal .btn-close", run: "click" },
        { trigger: ".o_searchview_dropdown_toggler", run: "click" },
        {
            trigger:
                ".o_add_custom_group_menu:has(option:contains('Campaign Master State')):not(:has(option:contains('Campaign Master Company')))",
        },
    ],
});

/** Nobody can be assigned as the user who synced last. */
tours.add("campaign_master_command_palette", {
    steps: () => [
        { trigger: "[name=campaign_master_synced_by_id]:contains('Mara Marketing')" },
        { trigger: "body", run: "press control+k" },
        { trigger: ".o_command_palette .o_command:contains('Assign to ...')" },
        { trigger: ".o_command_palette:not(:contains('Synced By'))" },
    ],
});
