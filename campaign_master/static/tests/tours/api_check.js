import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

/** An administrator checks the API and sees the report without leaving the form. */
tours.add("campaign_master_check_api", {
    steps: () => [
        { trigger: "button[name=action_check_api]", run: "click" },
        { trigger: ".modal [name=calls_message]:contains('makes 3 API calls')" },
        { trigger: ".modal button[name=action_check]", run: "click" },
        {
            content: "The result appears by itself",
            trigger: ".o_form_view .alert-success:contains('As documented')",
        },
        { trigger: ".o_form_view [name=report]:contains('GET /templates')" },
        { trigger: "button[name=action_download]:contains('Download Report')" },
        { trigger: "button[name=action_check_writing]", run: "click" },
        {
            content: "Nothing can be written before it is confirmed",
            trigger: ".modal:not(:has(button[name=action_write])) [name=confirmed] input",
            run: "click",
        },
        { trigger: ".modal button[name=action_write]" },
        { trigger: ".modal button[special=cancel]", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_form_view" },
    ],
});
