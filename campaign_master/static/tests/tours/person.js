import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");
const TAB = "a[name=campaign_master]";
const GRID = ".o_campaign_master_recipients";

/** A contact's engagement with its reason, and its campaigns, which can be opened. */
tours.add("campaign_master_person", {
    steps: () => [
        { trigger: TAB, run: "click" },
        {
            trigger:
                "[name=campaign_master_engagement] [title='Clicked in 1 of the last 3 delivered'] .badge:contains('Warm')",
        },
        {
            trigger:
                "[name=campaign_master_engagement_reason]:contains('Clicked in 1 of the last 3 delivered')",
        },
        {
            content: "The newest campaign is first",
            trigger: `${GRID} .o_data_row:first:contains('Third news'):contains('Delivered')`,
        },
        {
            content: "It says how many others have the address, and zeros are not shown",
            trigger: `${GRID} .o_data_row:contains('First news'):contains('Clicked') [name=shared_with_count]:contains('1')`,
        },
        { trigger: `${GRID} .o_data_row:contains('Third news') [name=click_count]:empty` },
        {
            content: "Nothing can be added here",
            trigger: `${GRID}:not(:has(.o_campaign_master_add))`,
        },
        { trigger: `${GRID} td:contains('First news')`, run: "click" },
        { trigger: ".o_form_view .o_field_widget[name=title] input:value('First news')" },
        { trigger: ".breadcrumb-item:contains('Ann Reader')", run: "click" },
        {
            trigger: "button[name=action_campaign_master_campaigns]:contains('3')",
            run: "click",
        },
        { trigger: ".o_breadcrumb .active:contains('Campaigns')" },
        { trigger: ".o_list_view .o_data_row:first:contains('Third news')" },
    ],
});

/** On a phone, a campaign of the person is a card. */
tours.add("campaign_master_person_phone", {
    steps: () => [
        { trigger: TAB, run: "click" },
        {
            trigger: `${GRID} .o_kanban_record:contains('First news'):contains('On the List')`,
        },
    ],
});

/** People are grouped by their engagement. */
tours.add("campaign_master_engagement", {
    steps: () => [
        { trigger: ".o_searchview_dropdown_toggler", run: "click" },
        { trigger: ".o_group_by_menu .o_menu_item:contains('Engagement')", run: "click" },
        { trigger: ".o_group_header:contains('Warm')", run: "click" },
        { trigger: ".o_data_row:contains('Ann Reader')" },
        { trigger: ".o_searchview_dropdown_toggler", run: "click" },
        {
            trigger: ".o_filter_menu .o_menu_item:contains('Engagement: Active')",
            run: "click",
        },
        { trigger: ".o_facet_value:contains('Engagement: Active')" },
    ],
});
